//! What went wrong elsewhere, as runbooks: the unsafe one is found, the safe one passes.

use lifeboat::model::Exploration;

use crate::{explore, project::Project, request};

fn explored(tables: &str, runbook: &str) -> Exploration {
    let project = Project::configured("protected = true", tables);
    explore(&request(&project, runbook), &project).expect("it can be explored")
}

fn violations(exploration: &Exploration) -> Vec<&str> {
    exploration.violations.iter().map(|violated| &*violated.invariant).collect()
}

const REPLICA: &str =
    "[environments.test.databases.replica]\ndriver = \"sqlite\"\npath = \"replica.db\"\nstore = \"backups\"\n";

/// GitLab, 2017-01-31: a replica lags behind. Its data is to be removed and copied anew; what is removed is the data of the primary,
/// and none of the backups, which nobody had ever verified, can be restored.
#[test]
fn gitlab_2017_the_wrong_database_and_no_backup() {
    let unsafe_one = r#"//! Copy the replica anew.
notify("incidents", "the replica lags behind: it is copied anew");
try { backup("primary"); } catch { log("the nightly backup will do"); }
confirm("Remove the data and copy it anew?");
restore("primary", #{ from: latest_backup("primary").id });
"#;
    let exploration = explored(REPLICA, unsafe_one);
    assert_eq!(violations(&exploration), ["backup-before-destroying"]);
    let safe = r#"//! Copy the replica anew.
notify("incidents", "the replica lags behind: it is copied anew");
let copy = backup("primary");
require(verify_backup("primary", #{ id: copy.id }).ok, "the copy is broken: nothing is removed");
let own = backup("replica");
require(verify_backup("replica", #{ id: own.id }).ok, "the way back is broken: nothing is removed");
confirm("Remove the data of the replica and copy it anew?");
restore("replica", #{ from: copy.id });
"#;
    let exploration = explored(REPLICA, safe);
    assert_eq!((violations(&exploration), &exploration.stuck[..]), (vec![], &[][..]));
    assert!(exploration.paths.restored > 0);
}

const COASTS: &str = r#"
[environments.test.services.east]
driver = "http"
url = "http://127.0.0.1:9/"
maintenance_file = "east"
[environments.test.services.west]
driver = "http"
url = "http://127.0.0.1:9/"
maintenance_file = "west"
[environments.test.routers.lb]
driver = "haproxy"
socket = "haproxy.sock"
backends = { east = "web/east", west = "web/west" }
"#;

/// GitHub, 2018-10-21: the network between the coasts is gone for 43 seconds, and writes are moved to the other coast, which does not
/// have the last of them.
#[test]
fn github_2018_a_failover_to_what_lags_behind() {
    let unsafe_one = r#"//! Move writes to the other coast.
notify("incidents", "the east coast does not answer: writes move west");
if probe("east").down {
    let behind = probe("west", #{ query_latency: "1s" });
    route("lb", #{ to: "west" });
}
"#;
    let unsafe_one = unsafe_one.replace(", #{ query_latency: \"1s\" }", "");
    let exploration = explored(COASTS, &unsafe_one);
    assert_eq!(violations(&exploration), ["open-only-when-healthy"]);
    assert_eq!(exploration.violations[0].why, "west gets traffic, and its check in line 4 failed");
    let safe = r#"//! Move writes to the other coast.
notify("incidents", "the east coast does not answer: writes move west, if it has them all");
require(probe("east").down, "the east coast answers: nothing is moved");
hold("2m", #{ label: "the east coast stays away" }, || probe("east").down);
require(probe("west").ok, "the west coast is not up to date: writes would be lost");
confirm("Move writes west?");
step "Move" {
    route("lb", #{ to: "west" });
    require(probe("west").ok, "the west coast does not take writes");
} rollback {
    route("lb", #{ to: "east" });
}
"#;
    let exploration = explored(COASTS, safe);
    assert_eq!((violations(&exploration), &exploration.stuck[..]), (vec![], &[][..]));
    assert!(exploration.paths.well > 0);
}
