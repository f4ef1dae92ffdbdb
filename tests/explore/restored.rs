//! Whether a rollback that comes to its end has put back what its step has changed.

use lifeboat::model::Exploration;

use crate::{explore, project::Project, request, told};

const TARGETS: &str = r#"
[environments.test.tools.turn]
driver = "command"
program = ["true"]
impact = "change"
check = ["true"]

[environments.test.services.shop]
driver = "http"
url = "http://127.0.0.1:9/"

[environments.test.services.shop.deploy]
driver = "command"
deploy = ["true"]
status = ["true"]

[environments.test.services.green]
driver = "http"
url = "http://127.0.0.1:9/"

[environments.test.services.green.deploy]
driver = "command"
deploy = ["true"]
status = ["true"]

[environments.test.routers.lb]
driver = "haproxy"
socket = "haproxy.sock"
backends = { shop = "web/shop", green = "web/green" }

[environments.test.documents.app]
driver = "json"
path = "app.json"
"#;

/// No call fails: only the last line does.
fn explored(runbook: &str) -> Exploration {
    let project = Project::configured("", TARGETS);
    let mut request = request(&project, &format!("{runbook}\nthrow \"no\";"));
    request.faults = Some(0);
    let exploration = explore(&request, &project).expect("it can be explored");
    assert_eq!((exploration.paths.well, &exploration.stuck[..]), (0, &[][..]), "{runbook}");
    exploration
}

/// How many paths end restored, and how many leave something changed.
#[track_caller]
fn ends(runbook: &str, expected: [u64; 2]) {
    let paths = explored(runbook).paths;
    assert_eq!([paths.restored, paths.left_changed], expected, "{runbook}");
}

/// A step that does this, and undoes it like that.
fn step(does: &str, undoes: &str) -> String {
    format!("step \"S\" {{ {does} }} rollback {{ {undoes} }}\n")
}

const ON: &str = "maintenance(\"web\", \"on\");";
const OFF: &str = "maintenance(\"web\", \"off\");";

#[test]
fn a_rollback_that_does_nothing_restores_nothing() {
    // Where it was on before, nothing was changed.
    ends(&step(ON, "log(\"nothing\");"), [1, 1]);
    ends(&step("exec(\"turn\");", "log(\"nothing\");"), [0, 1]);
    ends(&step("sql(\"primary\", \"DELETE FROM orders\");", "probe(\"primary\");"), [0, 4]);
    // A migration may have had nothing to do.
    ends(&step("migrate(\"primary\");", "log(\"nothing\");"), [1, 1]);
    ends(&step("restore(\"primary\", #{ from: \"latest\" });", "backup(\"primary\");"), [0, 1]);
    ends(&step("deploy(\"shop\", #{ version: \"2\" });", "log(\"nothing\");"), [1, 1]);
    ends(&step("route(\"lb\", #{ to: \"green\" });", "log(\"nothing\");"), [1, 1]);
    ends(&step("configure(\"app\", #{ set: #{ a: 1 } });", "log(\"nothing\");"), [1, 1]);
}

#[test]
fn a_rollback_that_sets_another_value_restores_nothing() {
    ends(&step(ON, ON), [2, 2]);
    ends(&step("route(\"lb\", #{ to: \"green\" });", "route(\"lb\", #{ shares: #{ shop: 40, green: 60 } });"), [4, 0]);
    let looked = "let before = routes(\"lb\").shares;\nrequire(before.shop == 100, \"no\");\n";
    // Where the shop has not all of it, the requirement fails first. Where green has it already, so it has when nothing is to be moved.
    let wrong = step("route(\"lb\", #{ to: \"green\" });", "route(\"lb\", #{ shares: #{ shop: 40, green: 60 } });");
    ends(&format!("{looked}{wrong}"), [3, 3]);
    let known = "let size = configuration(\"app\", \"size\");\nrequire(!size.found, \"it is there\");\n";
    let wrong = step("configure(\"app\", #{ set: #{ size: 1 } });", "configure(\"app\", #{ set: #{ size: 2 } });");
    ends(&format!("{known}{wrong}"), [2, 3]);
}

#[test]
fn a_value_that_was_kept_is_what_was_there() {
    ends(&format!("let before = maintenance(\"web\");\n{}", step(ON, "maintenance(\"web\", before);")), [8, 0]);
    ends(&format!("let kept = ();\n{}", step(&format!("kept = {ON}"), "maintenance(\"web\", kept);")), [4, 0]);
    let version = "let before = version(\"shop\").version;\nrequire(before != (), \"none\");\n";
    let deploys = step("deploy(\"shop\", #{ version: \"2\" });", "deploy(\"shop\", #{ version: before });");
    ends(&format!("{version}{deploys}"), [6, 0]);
    let shares = "let before = routes(\"lb\").shares;\n";
    let routes = step("route(\"lb\", #{ to: \"green\", percent: 10 });", "route(\"lb\", #{ shares: before });");
    ends(&format!("{shares}{routes}"), [12, 0]);
    let size = "let size = configuration(\"app\", \"size\").value;\n";
    let sets = step("configure(\"app\", #{ set: #{ size: 1 } });", "configure(\"app\", #{ set: #{ size: size } });");
    ends(&format!("{size}{sets}"), [8, 0]);
    let version = "let before = configuration(\"app\").version;\n";
    let restores =
        step("configure(\"app\", #{ set: #{ a: 1 }, unset: [\"b\"] });", "configure(\"app\", #{ restore: before });");
    ends(&format!("{version}{restores}"), [4, 0]);
    let undo = step("c = configure(\"app\", #{ set: #{ a: 1 } });", "configure(\"app\", #{ restore: c.undo });");
    ends(&format!("let c = ();\n{undo}"), [4, 0]);
}

#[test]
fn a_literal_is_as_good_as_what_it_was_found_to_be() {
    // Where it was on before, the rollback opens what was closed; where the rollback finds it open, somebody else has.
    ends(&step(ON, OFF), [3, 1]);
    ends(&format!("require(maintenance(\"web\") == \"off\", \"closed\");\n{}", step(ON, OFF)), [5, 0]);
    let looked = "let before = routes(\"lb\").shares;\nrequire(before.shop == 100, \"no\");\n";
    let back = step("route(\"lb\", #{ to: \"green\" });", "route(\"lb\", #{ shares: #{ shop: 100 } });");
    ends(&format!("{looked}{back}"), [6, 0]);
    let back = step("route(\"lb\", #{ to: \"green\" });", "route(\"lb\", #{ to: \"shop\" });");
    ends(&format!("{looked}{back}"), [6, 0]);
    let missing = "let size = configuration(\"app\", \"size\");\nrequire(!size.found, \"it is there\");\n";
    let unsets = step("configure(\"app\", #{ set: #{ size: 1 } });", "configure(\"app\", #{ unset: [\"size\"] });");
    ends(&format!("{missing}{unsets}"), [5, 0]);
}

#[test]
fn where_nobody_knows_what_was_there_a_rollback_that_changes_it_was_tried() {
    ends(&step("deploy(\"shop\", #{ version: \"2\" });", "deploy(\"shop\", #{ version: \"1\" });"), [4, 0]);
    ends(&step("migrate(\"primary\");", "migrate(\"primary\", #{ down: true });"), [4, 0]);
    ends(&step("migrate(\"primary\");", "sql(\"primary\", \"DROP TABLE parts\");"), [2, 0]);
    ends(&step("exec(\"turn\", [\"on\"]);", "exec(\"turn\", [\"off\"]);"), [1, 0]);
    // A program may do anything.
    ends(&step(ON, "exec(\"turn\", [\"off\"]);"), [2, 0]);
    ends(&step("backup(\"primary\");", "log(\"it does no harm\");"), [1, 0]);
    // What it was set to is surely not what was there.
    ends(&step("deploy(\"shop\", #{ version: \"2\" });", "deploy(\"shop\", #{ version: \"2\" });"), [2, 2]);
    let looks_late = "deploy(\"shop\", #{ version: version(\"shop\").version });";
    let paths = explored(&step("deploy(\"shop\", #{ version: \"2\" });", looks_late)).paths;
    assert!(paths.left_changed > 0, "it deploys what it finds, which is what it has deployed: {paths:?}");
}

#[test]
fn what_is_changed_twice_is_what_it_was_before_the_first() {
    let twice = format!("{ON} {OFF} {ON}");
    let before = "let before = maintenance(\"web\");\n";
    assert_eq!(explored(&format!("{before}{}", step(&twice, "maintenance(\"web\", before);"))).paths.left_changed, 0);
    assert!(explored(&format!("{before}{}", step(&twice, ON))).paths.left_changed > 0);
    let late = format!("{ON}\nlet late = maintenance(\"web\");\n{}", step(OFF, "maintenance(\"web\", late);"));
    assert!(explored(&late).paths.left_changed > 0, "the first has no rollback");
}

#[test]
fn each_branch_puts_its_own_back() {
    let left = |undoes: &str| {
        let branches = format!(
            "parallel([\"green\", \"shop\"], |service| {{\n\
             let before = version(service).version;\n\
             require(before != (), \"none is live\");\n\
             step \"Deploy\" {{ deploy(service, #{{ version: \"2\" }}); }} rollback {{ {undoes} }}\n}});"
        );
        let paths = explored(&branches).paths;
        assert!(paths.restored > 0, "{paths:?}");
        paths.left_changed
    };
    assert_eq!(left("deploy(service, #{ version: before });"), 0);
    assert!(left("log(\"no\");") > 0);
    assert!(left("deploy(\"shop\", #{ version: before });") > 0, "green stays");
}

#[test]
fn a_rollback_may_leave_its_work_to_functions_and_to_the_step_around() {
    let function = "fn reopen(service, state) { maintenance(service, state); }\nlet before = maintenance(\"web\");\n";
    ends(&format!("{function}{}", step(ON, "reopen(\"web\", before);")), [8, 0]);
    let inner = step(ON, "log(\"the step around does it\");");
    ends(&format!("let before = maintenance(\"web\");\n{}", step(&inner, "maintenance(\"web\", before);")), [8, 0]);
    let library = "import \"std/deploy\" as strategies;\n\
        let moved = strategies::blue_green(\"lb\", #{ shop: \"shop\", green: \"green\" }, \"2\");";
    let paths = explored(library).paths;
    assert_eq!((paths.restored > 0, paths.left_changed), (true, 0), "{paths:?}");
}

#[test]
fn what_a_rollback_brings_about_is_left_too() {
    let closes = step("exec(\"turn\");", ON);
    ends(&closes, [1, 1]);
    let exploration = explored(&format!("notify(\"incidents\", \"it begins\");\n{closes}"));
    let violated = &exploration.violations[0];
    assert_eq!(
        (&*violated.invariant, &*violated.why),
        ("maintenance-restored", "web stays in maintenance: a rollback has closed it")
    );
    assert!(violated.story.iter().any(|line| line.broken && line.text.contains("maintenance web on")));
}

#[test]
fn maintenance_that_a_rollback_does_not_open_breaks_the_invariant() {
    for (undoes, because) in
        [("log(\"nothing\");", ": its rollback does not open it"), (ON, ": a rollback has closed it")]
    {
        let exploration = explored(&format!("notify(\"incidents\", \"it begins\");\n{}", step(ON, undoes)));
        let violated = exploration.violations.first().unwrap_or_else(|| panic!("{undoes}"));
        assert_eq!(&*violated.invariant, "maintenance-restored");
        assert_eq!(violated.why, format!("web stays in maintenance{because}"), "{:?}", told(&violated.story));
        assert!(exploration.violations.len() == 1 && violated.ends.contains("leaves something changed"));
    }
}
