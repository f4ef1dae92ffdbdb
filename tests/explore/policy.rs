//! Invariants of a team's own, in `policy/*.rhai`.

use lifeboat::model::{Exploration, INVARIANTS};
use lifeboat::runtime::Error;

use crate::project::Project;
use crate::{explore, request, told};

const TWO_EYES: &str = r#"
/// Nobody closes the site before somebody has confirmed it.
fn closed_only_when_confirmed(path) {
    let confirmed = false;
    for event in path.events {
        if event.primitive == "confirm" && !event.failed { confirmed = true; }
        if closes(event) && !confirmed { return event.breaks(`${event.target} is closed in line ${event.line}`); }
    }
}

private fn closes(event) { event.primitive == "maintenance" && event.changed && event.args.state == "on" }
"#;

const CLOSES: &str = r#"
let before = maintenance("web");
step "Close" { maintenance("web", "on"); } rollback { maintenance("web", before); }
"#;

fn explored(policy: &str, runbook: &str) -> Result<Exploration, Error> {
    let project = Project::configured("", "");
    project.write("policy/team.rhai", policy);
    explore(&request(&project, runbook), &project)
}

#[test]
fn a_path_that_breaks_one_is_told_with_its_line() {
    let found = explored(TWO_EYES, CLOSES).expect("it can be explored");
    let own =
        found.violations.iter().find(|one| &*one.invariant == "closed-only-when-confirmed").expect("it is broken");
    assert_eq!(&*own.summary, "Nobody closes the site before somebody has confirmed it");
    assert_eq!(own.why, "web is closed in line 3");
    let broken: Vec<u32> = own.story.iter().filter(|line| line.broken).map(|line| line.site.line).collect();
    assert_eq!(broken, [3], "{:?}", told(&own.story));
    assert_eq!(found.invariants.len(), INVARIANTS.len() + 1);
    assert!(!found.is_sound());
}

#[test]
fn what_keeps_it_is_sound() {
    let found = explored(TWO_EYES, &format!("confirm(\"Close the site?\");{CLOSES}")).expect("it can be explored");
    assert!(
        found.violations.iter().all(|one| &*one.invariant != "closed-only-when-confirmed"),
        "{:?}",
        found.violations
    );
}

#[test]
fn it_is_waived_like_any_other() {
    let waived = format!("//! Close.\n//! waive: closed-only-when-confirmed: a drill\n{CLOSES}");
    let found = explored(TWO_EYES, &waived).expect("it can be explored");
    let own =
        found.violations.iter().find(|one| &*one.invariant == "closed-only-when-confirmed").expect("it is broken");
    assert_eq!(own.waived.as_deref(), Some("a drill"));
}

#[test]
fn what_a_path_is_to_a_policy() {
    let policy = r#"
fn paths_are_told(path) {
    let seen = [];
    for event in path.events {
        seen += [event.primitive, event.target, event.way, event.kind, event.failed, event.changed, event.in_rollback, event.in_step];
    }
    if path.ends == "restored" && !path.cancelled { return `${path.environment} ${path.is_protected} ${path.runbook}: ${seen}`; }
}
"#;
    let found = explored(
        policy,
        "step \"S\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }\n\
                                  confirm(\"Go on?\");",
    )
    .expect("it can be explored");
    let own = found.violations.iter().find(|one| &*one.invariant == "paths-are-told").expect("it is broken");
    let begins = "test false runbooks/explored.rhai: [\"maintenance\", \"web\", \"failed\", \"change\", true, false, false, \"S\", \
                  \"rollback\", (), \"\", \"mark\", false, false, false, (), \"maintenance\", \"web\", \"on\", \"change\", false, true, true, \"S\"]";
    assert_eq!(own.why.lines().next(), Some(begins));
}

#[test]
fn what_nobody_knows_is_a_text_to_it() {
    let policy =
        "fn a(path) { for event in path.events { if event.primitive == \"restore\" { return event.args.from; } } }";
    let found =
        explored(policy, "restore(\"primary\", #{ from: latest_backup(\"primary\").id });").expect("it is walked");
    let own = found.violations.iter().find(|one| &*one.invariant == "a").expect("it is broken");
    assert_eq!(own.why, "‹latest_backup:primary.id›");
}

#[test]
fn a_mistake_in_a_policy_refuses_everything_at_its_line() {
    let Err(Error::Syntax(error)) = explored("fn a(path) {\n    let = 1;\n}\n", CLOSES) else {
        panic!("it is refused")
    };
    assert_eq!((&*error.site.file, error.site.line), ("policy/team.rhai", 2));
}

#[test]
fn one_that_cannot_tell_is_broken() {
    let found =
        explored("/// It is well.\nfn well(path) {\n    path.events[0].nothing\n}\n", CLOSES).expect("it is walked");
    let own = found.violations.iter().find(|one| &*one.invariant == "well").expect("it is broken");
    assert!(own.why.starts_with("it cannot tell: ") && own.why.ends_with("(policy/team.rhai:3)"), "{}", own.why);
}

#[test]
fn a_waiver_of_what_there_is_not_is_a_mistake() {
    let waived = format!("//! Close.\n//! waive: closed-only-when-confirmd: a drill\n{CLOSES}");
    let Err(Error::Check { findings, .. }) = explored(TWO_EYES, &waived) else { panic!("it is refused") };
    assert_eq!(findings[0].help.as_deref(), Some("did you mean `closed-only-when-confirmed`?"));
}
