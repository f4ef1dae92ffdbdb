//! Which paths there are.

use lifeboat::model::Exploration;

use crate::{counts, explore, explored, project::Project, request};

/// A path for each way in which one change can end: it was off or on, it failed, it failed and took place, it was cancelled.
#[test]
fn a_change_takes_place_fails_both_or_is_cancelled() {
    let exploration = explored("maintenance(\"web\", \"on\");");
    assert_eq!(counts(&exploration), [5, 2, 1, 2], "left changed: failed but applied, and cancelled");
    let undone = "step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }";
    // Where it fails or is cancelled, its rollback ends in four ways; in two of them it fails, and what took place is left.
    assert_eq!(counts(&explored(undone)), [2 + 3 * 4, 2, 4 + 2 + 2, 2 + 2]);
}

#[test]
fn a_look_ends_in_each_of_its_ways() {
    assert_eq!(counts(&explored("probe(\"web\");")), [4, 4, 0, 0], "pass, fail, degraded, warn");
    assert_eq!(counts(&explored("require(probe(\"web\").ok, \"ill\");")), [4, 2, 2, 0]);
    assert_eq!(counts(&explored("if probe(\"web\").down { throw \"down\"; }")), [4, 3, 1, 0]);
}

#[test]
fn a_person_says_yes_or_no() {
    assert_eq!(counts(&explored("confirm(\"Go?\");")), [2, 1, 1, 0]);
    assert_eq!(counts(&explored("try { confirm(\"Go?\"); } catch { log(\"no\"); }")), [2, 2, 0, 0]);
}

#[test]
fn what_nobody_knows_goes_both_ways_and_stays_as_it_is() {
    let two = "let ms = probe(\"web\").latency_ms; if ms > 200 { log(\"slow\"); } if ms > 100 { log(\"slowish\"); }";
    // Slow and not slowish cannot be: three ways for each of the four answers of the probe.
    assert_eq!(explored(two).paths.all, 12);
    let grouped = "let p = probe(\"web\").latency_ms; let q = probe(\"primary\").latency_ms;\n\
        if (p + q) * 2 > 100 { if p + q * 2 > 100 { log(\"both\"); } else { log(\"one\"); } }";
    assert_eq!(explored(grouped).coverage.missed, [], "they are not the same");
    let two_probes =
        "let a = probe(\"web\").latency_ms; let b = probe(\"web\").latency_ms; if a > 200 { } if b > 200 { }";
    assert_eq!(explored(two_probes).paths.all, 64, "what two probes find are two things");
}

#[test]
fn a_switch_goes_each_of_its_ways_once() {
    let arms = "switch ask(\"Which?\") { \"a\" => log(\"1\"), \"b\" | \"c\" => log(\"2\"), \"d\" => log(\"3\"), \"e\" => log(\"4\"), \"f\" => log(\"5\"), _ => log(\"6\") }";
    let exploration = explored(arms);
    // Nobody answers; or one of six, each of which is shown.
    assert_eq!(counts(&exploration), [6 + 2, 6, 2, 0]);
    assert_eq!((exploration.coverage.missed.len(), exploration.coverage.missed_cases.len()), (0, 0));
    // What an arm has been taken for is known in it, and behind it.
    let again = "let v = ask(\"Which?\");\n\
        switch v { \"a\" | \"b\" => { if v == \"c\" { log(\"never\"); } }, _ => { if v == \"a\" { log(\"never\"); } } }\n\
        switch v { \"b\" => log(\"b\"), \"a\" => log(\"a\"), _ => log(\"other\") }";
    assert_eq!(counts(&explored(again)), [3 + 2, 3, 2, 0], "a, b, other");
    assert_eq!(explored(again).coverage.missed.len(), 2, "what can never be is never walked");
    let numbers = "let ms = probe(\"web\").latency_ms;\n\
        switch ms { 0..100 => log(\"fast\"), 100..=500 => log(\"slow\"), _ => log(\"ill\") }";
    // Below them and above them it is none of them.
    assert_eq!(counts(&explored(numbers)), [4 * 4, 4 * 4, 0, 0]);
    let in_functions = "fn level(v) { switch v { \"a\" => 1, \"b\" => { return 2; } _ => 3 } }\n\
        step \"Close\" { if level(ask(\"Which?\")) == 2 { maintenance(\"web\", \"on\"); } } rollback { maintenance(\"web\", \"off\"); }";
    assert_eq!(explored(in_functions).coverage.missed, []);
}

#[test]
fn a_condition_that_nobody_knows_goes_both_ways() {
    let runbook = "let v = query(\"primary\", \"SELECT on_call FROM team\");\n\
        for row in v { if row.on_call && probe(\"web\").ok { log(\"on call\"); } else if row.away || row.ill { log(\"away\"); } else { log(\"there\"); } }";
    assert_eq!(explored(runbook).coverage.missed, []);
    let filtered = "let ill = query(\"primary\", \"SELECT id, ill FROM host\").filter(|host| host.ill);\n\
        if ill.len() > 0 { log(\"ill\"); } else { log(\"well\"); }";
    assert_eq!(explored(filtered).coverage.missed, []);
    let caught = "try { if query(\"primary\", \"SELECT 1\")[0].x { log(\"yes\"); } else { log(\"no\"); } } catch { log(\"caught\"); }";
    assert_eq!(explored(caught).paths.all, 4, "yes, no, and what the query itself throws, caught");
}

#[test]
fn a_person_gives_each_of_the_answers() {
    let runbook = "let region = ask(\"Which?\", #{ choices: [\"eu\", \"us\", \"asia\", \"africa\", \"none\"] });\n\
        if region == \"mars\" { log(\"never\"); }\n\
        switch region { \"none\" => throw \"nowhere\", _ => log(`to ${region}`) }";
    let exploration = explored(runbook);
    assert_eq!(counts(&exploration), [5 + 2, 4, 3, 0]);
    assert_eq!(exploration.coverage.missed.len(), 1, "{:?}", exploration.coverage.missed);
    let target = "probe(ask(\"Which?\", #{ choices: [\"web\", \"primary\"] }));";
    assert_eq!(explored(target).coverage.missed, [], "an answer may be a target");
    let found = "let b = ask(\"Which?\", #{ choices: backups(\"primary\").map(|b| b.id) });\nrestore(\"primary\", #{ from: b });";
    assert_eq!(explored(found).coverage.missed, []);
}

#[test]
fn the_time_of_a_step_may_be_over_before_each_of_its_calls() {
    let runbook = "step \"Close\" within \"5m\" {\n    confirm(\"Go?\");\n    try { log(\"on\"); } catch { log(\"caught\"); }\n}\nlog(\"behind\");";
    let exploration = explored(runbook);
    // Yes, no, or too late for the question; behind a yes the first log may be too late, and then the second one is, too.
    assert_eq!(counts(&exploration), [1 + 1 + 1 + 1, 1, 3, 0]);
    let missed: Vec<_> = exploration.coverage.missed_cases.iter().map(|missed| missed.case.as_str()).collect();
    assert_eq!(missed, ["shown"], "nobody is ever told of what is caught: that, too, is a call");
    let undone = "step \"Close\" within \"5m\" { maintenance(\"web\", \"on\"); probe(\"web\"); } rollback { maintenance(\"web\", \"off\"); }";
    let unlimited = undone.replace(" within \"5m\"", "");
    // Nothing is undone where the first call is too late; where the second is, its rollback has all the time that it needs.
    let (limited, unlimited) = (counts(&explored(undone)), counts(&explored(&unlimited)));
    assert_eq!(limited[0], unlimited[0] + 1 + 2 * 4, "{limited:?} {unlimited:?}");
    let waits = "step \"Wait\" within \"5m\" { retry(#{ times: 3 }, || confirm(\"Go?\")); }";
    // At once, the second time, never; and too late the first or the second time.
    assert_eq!(counts(&explored(waits)), [3 + 2, 2, 3, 0]);
}

#[test]
fn a_wait_comes_true_or_does_not() {
    let exploration = explored("wait_until(\"up\", || probe(\"web\").ok);");
    // Up: pass or warn. Not up, fail or degraded: then there is no time left, or it is looked at once more. Or it is cancelled.
    assert_eq!(counts(&exploration), [1 + 2 + 2 * (1 + 4), 2 + 2 * 2, 1 + 2 * (1 + 2), 0]);
    // What is first down and then up again.
    let restarted = "let down = false; wait_until(\"restarted\", || { let p = probe(\"web\"); if p.down { down = true; } down && p.ok });";
    assert!(explored(restarted).paths.well > 0);
    let counts_up = "let n = 0; wait_until(\"many\", || { n += 1; n > 150 });";
    assert_eq!(counts(&explored(counts_up)), [2, 1, 1, 0]);
    assert_eq!(counts(&explored("hold(\"1m\", || probe(\"web\").ok);")), [5, 2, 3, 0]);
    assert_eq!(counts(&explored("wait_until(\"never\", || false);")), [2, 0, 2, 0], "it cannot come true");
}

#[test]
fn what_is_tried_again_goes_well_then_or_never() {
    let exploration = explored("retry(#{ times: 5 }, || confirm(\"Go?\"));");
    assert_eq!(counts(&exploration), [3, 2, 1, 0], "at once, the second time, not at all");
}

#[test]
fn branches_are_taken_one_after_the_other() {
    let one = explored("parallel([1, 2, 3], #{ at_most: 1 }, |n| { confirm(`Go ${n}?`); });");
    assert_eq!(counts(&one), [4, 1, 3, 0], "nothing begins behind one that failed");
    let all = explored("parallel([1, 2, 3], #{ finish: \"all\" }, |n| { confirm(`Go ${n}?`); });");
    assert_eq!(counts(&all), [8, 1, 7, 0]);
    let beside = explored("parallel([1, 2], #{ at_most: 2 }, |n| { confirm(`Go ${n}?`); });");
    assert_eq!(counts(&beside), [5, 1, 4, 0], "beside one that failed the other has run, or has not begun");
}

#[test]
fn a_parameter_that_nobody_gives_has_any_value() {
    let runbook = "param to: string;\nif to == \"v1\" { log(\"the old one\"); }";
    let exploration = explored(runbook);
    assert_eq!((exploration.paths.all, exploration.params.to_string().as_str()), (2, "{ to: ‹to› }"));
    let project = Project::configured("", "");
    let mut given = request(&project, runbook);
    given.params.push(("to".to_owned(), "v1".to_owned()));
    assert_eq!(explore(&given, &project).expect("it can be explored").paths.all, 1);
}

#[test]
fn what_is_pinned_ends_in_no_other_way_until_it_is_changed() {
    let project = Project::configured("", "");
    let runbook = "probe(\"web\"); maintenance(\"web\", \"on\"); probe(\"web\");";
    let mut pinned = request(&project, runbook);
    pinned.assumptions.push("probe(web)=fail".parse().expect("an assumption"));
    let exploration = explore(&pinned, &project).expect("it can be explored");
    // The second one is free where maintenance was switched on, and not where it was on before.
    assert_eq!(exploration.paths.all, 4 + 1 + 3);
    pinned.assumptions.push("probe(primary)=fail".parse().expect("an assumption"));
    let error = explore(&pinned, &project).expect_err("nothing is probed there").to_string();
    assert_eq!(error, "no call on any path meets `probe(primary)=fail`");
}

#[test]
fn one_thread_finds_what_many_find() {
    let project = Project::configured("", "");
    let runbook = std::fs::read_to_string("runbooks/restore-database.rhai").expect("it ships");
    let with = |threads: usize| {
        let mut request = request(&project, &runbook);
        request.threads = threads;
        let exploration = explore(&request, &project).expect("it can be explored");
        Exploration { took_ms: 0, ..exploration }
    };
    let one = with(1);
    assert!(one.paths.all > 300);
    for threads in [2, 4, 7] {
        assert_eq!(with(threads), one);
    }
}

#[test]
fn what_nobody_can_tell_afterwards_ends_in_doubt() {
    let table = "[environments.test.tools.turn]\ndriver = \"command\"\nprogram = [\"true\"]\nimpact = \"change\"\n";
    let project = Project::configured("", table);
    let runbook = "step \"Turn\" { exec(\"turn\"); } rollback { log(\"back\"); }";
    let exploration = explore(&request(&project, runbook), &project).expect("it can be explored");
    assert_eq!((exploration.paths.in_doubt, exploration.paths.well), (1, 1));
}

#[test]
fn a_mistake_of_the_script_is_no_failure_of_anything_else() {
    let project = Project::configured("", "");
    let exploration =
        explore(&request(&project, "log(\"here\");\nlet x = [1, 2][7];"), &project).expect("it can be explored");
    assert_eq!((exploration.paths.mistaken, exploration.is_sound()), (1, false));
    assert_eq!(exploration.stuck[0].site.as_ref().map(|site| site.line), Some(2));
}

#[test]
fn what_no_path_comes_to_is_named() {
    let exploration = explored("if false { log(\"never\"); }\nlog(\"always\");");
    let coverage = &exploration.coverage;
    assert_eq!((coverage.calls, coverage.reached), (2, 1));
    let missed: Vec<_> = coverage.missed.iter().map(|missed| (missed.primitive.as_str(), missed.site.line)).collect();
    assert_eq!(missed, [("log", 1)]);
}

#[test]
fn nothing_is_touched() {
    let project = Project::configured(
        "",
        "[environments.test.tools.touch]\ndriver = \"command\"\nprogram = [\"touch\", \"touched\"]\n",
    );
    let asked = project.web.requests();
    let exploration = explore(&request(&project, "exec(\"touch\"); probe(\"web\"); backup(\"primary\");"), &project);
    assert!(exploration.expect("it can be explored").paths.all > 10);
    assert_eq!(project.web.requests(), asked);
    for name in ["touched", "primary.db", "backups", ".lifeboat", "incidents.jsonl"] {
        assert!(!project.path(name).exists(), "{name}");
    }
}
