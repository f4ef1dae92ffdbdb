//! The tree of all paths, and what of their source they walk.

use lifeboat::model::{Ends, Exploration, ForkKind, TreeNode, WalkedFile};
use lifeboat::runtime::ExploreRequest;

use crate::{explore, explored, project::Project, request};

/// Explores this runbook with its tree.
fn grown(runbook: &str, files: &[(&str, &str)]) -> Exploration {
    let project = Project::configured("", "");
    for (name, text) in files {
        project.write(name, text);
    }
    let request = ExploreRequest { tree: true, ..request(&project, runbook) };
    explore(&request, &project).expect("it can be explored")
}

/// How many paths of the tree end in each way, counted from its root.
fn ends(exploration: &Exploration) -> [u64; 3] {
    let tree = exploration.tree.as_ref().expect("it was asked for");
    let (mut ways_to, mut ends) = (vec![0; tree.nodes.len()], [0; 3]);
    ways_to[tree.root] = 1;
    for (number, node) in tree.nodes.iter().enumerate() {
        match node {
            TreeNode::End(end) => match end.ends {
                Ends::Well => ends[0] += ways_to[number],
                Ends::Restored => ends[1] += ways_to[number],
                Ends::LeftChanged => ends[2] += ways_to[number],
                other => panic!("{other:?}"),
            },
            TreeNode::Fork { ways, .. } => {
                for way in ways {
                    ways_to[way.to] += ways_to[number];
                }
            }
        }
    }
    ends
}

#[test]
fn a_tree_is_grown_only_where_it_is_asked_for() {
    let exploration = explored("maintenance(\"web\", \"on\");");
    assert_eq!((exploration.tree, exploration.files), (None, vec![]));
}

#[test]
fn every_path_stands_in_the_tree_once() {
    let runbooks = [
        "maintenance(\"web\", \"on\");",
        "step \"Close\" { maintenance(\"web\", \"on\"); confirm(\"Go?\"); } rollback { maintenance(\"web\", \"off\"); }",
        "let ms = probe(\"web\").latency_ms; if ms > 200 { log(\"slow\"); } if ms > 100 { log(\"slowish\"); }",
        "wait_until(\"up\", || probe(\"web\").ok);",
        "hold(\"1m\", || probe(\"web\").ok);",
        "retry(#{ times: 5 }, || confirm(\"Go?\"));",
        "parallel([1, 2, 3], #{ at_most: 2 }, |n| { confirm(`Go ${n}?`); });",
        "for n in 0..5 { try { confirm(\"Go?\"); } catch { log(\"no\"); } }",
        "let p = probe(\"web\"); if p.ok { log(\"up\"); } notify(\"incidents\", \"Looked\");",
    ];
    for runbook in runbooks {
        let exploration = grown(runbook, &[]);
        let counts = &exploration.paths;
        assert_eq!(ends(&exploration), [counts.well, counts.restored, counts.left_changed], "{runbook}");
    }
}

#[test]
fn what_goes_on_alike_is_one() {
    let exploration = grown("probe(\"web\"); probe(\"web\"); probe(\"web\");", &[]);
    let tree = exploration.tree.expect("it was asked for");
    assert_eq!((exploration.paths.all, tree.nodes.len()), (64, 4), "three probes, and the end");
}

#[test]
fn whichever_thread_finds_what_the_tree_is_the_same() {
    let project = Project::configured("", "");
    let runbook = std::fs::read_to_string("runbooks/restore-database.rhai").expect("it ships");
    let with = |threads: usize| {
        let request = ExploreRequest { tree: true, threads, ..request(&project, &runbook) };
        let exploration = explore(&request, &project).expect("it can be explored");
        Exploration { took_ms: 0, ..exploration }
    };
    let one = with(1);
    assert_eq!(one.tree.as_ref().map(|tree| tree.nodes[tree.root].paths()), Some(one.paths.all));
    for threads in [2, 5] {
        let several = with(threads);
        assert!(several.tree == one.tree, "the tree");
        assert_eq!(several.files, one.files);
        assert_eq!(
            Exploration { tree: None, files: Vec::new(), ..several },
            Exploration { tree: None, files: Vec::new(), ..one.clone() }
        );
    }
}

const CLOSING: &str = "import \"closing\" as closing;
param limit: int = 200;
fn tell(what) {
    notify(\"incidents\", what);
}
step \"Close\" {
    maintenance(\"web\", \"on\");
} rollback {
    maintenance(\"web\", \"off\");
}
if probe(\"web\").latency_ms > limit {
    tell(\"slow\");
}
if false {
    confirm(\"Never?\");
}
closing::open();
";

const MODULE: &str = "fn open() {
    maintenance(\"web\", \"off\");
}
fn unused() {
    confirm(\"Unused?\");
}
fn pure(a) {
    a + 1
}
";

#[test]
fn lines_functions_and_ways_are_counted_by_paths() {
    let exploration = grown(CLOSING, &[("runbooks/closing.rhai", MODULE)]);
    let [runbook, module] = &exploration.files[..] else { panic!("two files: {:?}", exploration.files) };
    assert_eq!((&*runbook.name, &*module.name), ("runbooks/explored.rhai", "runbooks/closing.rhai"));
    let all = exploration.paths.all;
    let lines: Vec<u32> = runbook.lines.keys().copied().collect();
    assert_eq!(lines, [3, 4, 6, 7, 9, 11, 15]);
    assert_eq!((runbook.lines[&6], runbook.lines[&7], runbook.lines[&15]), (all, all, 0));
    assert!(runbook.lines[&9] > 0 && runbook.lines[&9] < all, "the rollback runs on some paths: {:?}", runbook.lines);
    assert_eq!(runbook.lines[&3], runbook.lines[&4], "whoever tells, calls");
    let called = |file: &WalkedFile| file.functions.iter().map(|f| (f.name.clone(), f.paths > 0)).collect::<Vec<_>>();
    assert_eq!(called(runbook), [("tell".to_owned(), true)]);
    assert_eq!(called(module), [("open".to_owned(), true), ("unused".to_owned(), false)], "of `pure` nobody can tell");
}

#[test]
fn every_way_of_a_call_a_comparison_and_a_rollback_is_counted() {
    let exploration = grown(CLOSING, &[("runbooks/closing.rhai", MODULE)]);
    let forks: Vec<_> =
        exploration.files[0].forks.iter().map(|fork| (fork.site.line, fork.kind, &*fork.what)).collect();
    let expected = [
        (4, ForkKind::Call, "notify"),
        (6, ForkKind::Rollback, "Close"),
        (7, ForkKind::Call, "maintenance"),
        (9, ForkKind::Call, "maintenance"),
        (11, ForkKind::Call, "probe"),
        (11, ForkKind::Question, "‹probe:web.latency_ms› > 200"),
        (15, ForkKind::Call, "confirm"),
    ];
    assert_eq!(forks, expected);
    let fork = |n: usize| &exploration.files[0].forks[n];
    let names = |n: usize| fork(n).ways.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(names(2), ["off", "on", "failed", "failed-applied", "cancelled"]);
    assert_eq!(fork(2).ways.iter().map(|(_, paths)| paths).sum::<u64>(), exploration.paths.all);
    assert_eq!(fork(1).ways.iter().map(|(_, paths)| paths).sum::<u64>(), exploration.paths.all, "{:?}", fork(1));
    assert_eq!(names(5), ["yes", "no"]);
    assert_eq!((fork(6).paths, names(6), fork(6).ways.iter().map(|(_, p)| p).sum()), (0, vec!["yes", "no"], 0_u64));
}

#[test]
fn coverage_counts_calls_their_cases_and_rollbacks() {
    let coverage = grown(CLOSING, &[("runbooks/closing.rhai", MODULE)]).coverage;
    assert_eq!((coverage.calls, coverage.reached), (5, 4));
    // notify 2, maintenance 5, in the rollback 4, probe 4, confirm 2 of which no path knows.
    assert_eq!((coverage.cases, coverage.cases_walked), (2 + 5 + 4 + 4 + 2, 2 + 5 + 4 + 4));
    assert_eq!((coverage.rollbacks, coverage.rollbacks_run), (1, 1));
}

#[test]
fn what_the_bound_on_failures_cuts_off_is_a_case_that_is_missed() {
    let project = Project::configured("", "");
    let runbook = "step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }";
    let none = ExploreRequest { faults: Some(0), ..request(&project, runbook) };
    let coverage = explore(&none, &project).expect("it can be explored").coverage;
    assert_eq!((coverage.calls, coverage.reached, coverage.rollbacks, coverage.rollbacks_run), (2, 1, 1, 0));
    assert_eq!(coverage.missed_rollbacks[0].title, "Close");
    let missed: Vec<_> = coverage.missed_cases.iter().map(|missed| missed.case.as_str()).collect();
    assert_eq!(missed, ["failed", "failed-applied", "cancelled"]);
}

#[test]
fn a_wait_has_the_ways_in_which_it_is_over() {
    let coverage = explored("wait_until(\"up\", || probe(\"web\").ok);").coverage;
    assert_eq!((coverage.calls, coverage.cases, coverage.cases_walked), (2, 3 + 4, 3 + 4));
    assert_eq!(coverage.missed_cases, []);
}
