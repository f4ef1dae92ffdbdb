//! Whatever was not walked is said.

use std::time::Duration;

use lifeboat::model::Bound;
use lifeboat::runtime::ExploreRequest;

use crate::{explore, explored, project::Project, request, told};

const CONFIRMS: &str = "for n in 0..3 { try { confirm(`Go ${n}?`); } catch { log(\"no\"); } }\n";

#[test]
fn no_more_failures_than_asked_for() {
    let project = Project::configured("", "");
    let with = |faults: Option<usize>| {
        let request = ExploreRequest { faults, ..request(&project, CONFIRMS) };
        let exploration = explore(&request, &project).expect("it can be explored");
        (exploration.paths.all, exploration.bounds)
    };
    assert_eq!(with(Some(0)), (1, vec![Bound::Faults { at_most: 0 }]));
    assert_eq!(with(Some(1)), (4, vec![Bound::Faults { at_most: 1 }]));
    assert_eq!(with(Some(2)), (7, vec![Bound::Faults { at_most: 2 }]));
    assert_eq!(with(Some(3)), (8, vec![]));
    assert_eq!(with(None), (8, vec![]));
}

#[test]
fn no_more_paths_and_no_more_time_than_asked_for() {
    let project = Project::configured("", "");
    let many: String = (0..12).map(|_| "probe(\"web\");").collect();
    let paths = ExploreRequest { paths: 500, ..request(&project, &many) };
    let exploration = explore(&paths, &project).expect("it can be explored");
    assert_eq!(exploration.bounds, [Bound::Paths { at_most: 500 }]);
    assert!((500..2_000).contains(&exploration.paths.all), "{}", exploration.paths.all);
    let time = ExploreRequest { time: Duration::from_millis(200), paths: u64::MAX, ..request(&project, &many) };
    let exploration = explore(&time, &project).expect("it can be explored");
    assert_eq!(exploration.bounds, [Bound::Time { seconds: 0 }]);
    assert!(!exploration.is_sound(), "nobody knows of the others");
}

/// A line takes all of its ways the first three times, then its likely one.
#[test]
fn a_line_that_is_met_often_takes_its_likely_way() {
    let project = Project::configured("", "");
    let runbook = "for n in 0..5 { try { confirm(`Go ${n}?`); } catch { log(\"no\"); } }";
    let exploration = explore(&request(&project, runbook), &project).expect("it can be explored");
    let [Bound::Repeated { sites }] = &exploration.bounds[..] else { panic!("{:?}", exploration.bounds) };
    assert_eq!((exploration.paths.all, sites.len(), sites[0].line), (8, 1, 1));
    assert_eq!(explored(CONFIRMS).paths.all, 8);
}

#[test]
fn a_path_without_an_end_is_a_mistake() {
    let project = Project::configured("", "");
    let exploration =
        explore(&request(&project, "loop {\n    probe(\"web\");\n}"), &project).expect("it can be explored");
    assert!(!exploration.is_sound());
    assert_eq!(&*exploration.violations[0].invariant, "ends");
    assert_eq!(exploration.stuck, [], "it is told once");
    assert_eq!(exploration.paths.mistaken, exploration.paths.all);
    let many = explore(&request(&project, "for n in 0..400 { log(`${n}`); }"), &project).expect("it can be explored");
    assert_eq!((many.paths.all, many.paths.well), (1, 1), "what is long has an end");
}

/// In a `try` it would be an error like any other, and the script would go on as no run does.
#[test]
fn what_has_no_answer_cannot_be_caught() {
    let project = Project::configured("", "");
    let runbook =
        "let v = ask(\"Which?\");\ntry { if v.len() > 0 { maintenance(\"web\", \"on\"); } } catch { log(\"no\"); }";
    let exploration = explore(&request(&project, runbook), &project).expect("it can be explored");
    assert_eq!(exploration.stuck.len(), 1, "{exploration:?}");
    assert!(exploration.stuck[0].why.contains("`len` asks something of ‹ask›"), "{}", exploration.stuck[0].why);
}

#[test]
fn a_switch_that_cannot_be_asked_about_is_named() {
    let project = Project::configured("", "");
    let runbook =
        "let v = ask(\"Which?\");\ntry { switch v { [1] => log(\"a\"), _ => log(\"b\") } } catch { log(\"no\"); }";
    let exploration = explore(&request(&project, runbook), &project).expect("it can be explored");
    let [stuck] = &exploration.stuck[..] else { panic!("{exploration:?}") };
    assert_eq!(stuck.why, "which arm the `switch` takes depends on ‹ask›, which is not known before the run");
    assert_eq!(stuck.site.as_ref().map(|site| site.line), Some(2));
}

#[test]
fn a_path_that_cannot_be_followed_is_told_as_far_as_it_goes() {
    let project = Project::configured("", "");
    let runbook = "let found = probe(\"web\");\nlet spaced = [1, 2, 3][found.latency_ms];";
    let exploration = explore(&request(&project, runbook), &project).expect("it can be explored");
    let stuck = &exploration.stuck[0];
    assert!(!stuck.mistake && !exploration.is_sound());
    assert_eq!(stuck.site.as_ref().map(|site| site.line), Some(2), "{stuck:?}");
    assert_eq!(told(&stuck.story), ["1 probe web → pass"]);
}
