//! A plan as JSON: all that it says, and nothing lost on the way.

use lifeboat::model::{Plan, PlanVerdict};

use crate::project::Project;
use crate::sandbox::Sandbox;
use crate::{completes, plan};

#[test]
fn a_plan_survives_json() {
    let project = Project::configured("", "");
    project.database(10);
    let whole = completes(
        &project,
        r#"
            let taken = backup("primary");
            step "Restore" { restore("primary", #{ from: taken.id }); } rollback { log(`again ${taken.id}`); }
            confirm("Go on?");
            try { throw "x"; } catch {}
        "#,
        &["confirm=yes"],
    );
    let failing = plan(&project, "latest_backup(\"primary\");", &[]).expect("it can be planned");
    let stopping = plan(&project, "if backup(\"primary\").id == \"x\" {}", &[]).expect("it can be planned");
    assert!(matches!(failing.verdict, PlanVerdict::Fails { .. }));
    assert!(matches!(stopping.verdict, PlanVerdict::Stops { .. }));
    for plan in [whole, failing, stopping] {
        let json = serde_json::to_string(&plan).expect("it can be written");
        assert_eq!(serde_json::from_str::<Plan>(&json).expect(&json), plan);
    }
}

#[test]
fn the_program_prints_it_for_machines_and_says_by_its_exit_how_it_ends() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path(".lifeboat/sandbox")).expect("a directory for the service's files");
    let plan = |more: &[&str]| -> (Option<i32>, Plan) {
        let said = sandbox.lifeboat(&[&["plan", "runbooks/restore-database.rhai", "--format", "json"], more].concat());
        (said.code, serde_json::from_str(&said.out).unwrap_or_else(|why| panic!("{why}: {}", said.tail())))
    };
    let (code, failing) = plan(&[]);
    assert_eq!((code, failing.environment.as_str(), failing.format), (Some(1), "sandbox", Plan::FORMAT));
    assert!(matches!(failing.verdict, PlanVerdict::Fails { .. }), "there is no backup: {:?}", failing.verdict);
    let pinned = ["--assume", "probe(primary)=fail", "--assume", "latest_backup(primary)=found"];
    let (code, whole) = plan(&pinned);
    assert_eq!((code, &whole.verdict), (Some(0), &PlanVerdict::Completes));
    assert!(whole.changes() > 0 && whole.digests.contains_key("runbooks/restore-database.rhai"));
    assert_eq!(plan(&[&pinned[..], &["--detailed-exitcode"]].concat()).0, Some(2));
    let left = std::fs::read_dir(sandbox.path(".lifeboat")).expect("lists").count();
    assert_eq!(left, 1, "planning leaves nothing behind");
}
