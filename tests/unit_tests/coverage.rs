//! What no test has met.

use crate::tested;

const RUNBOOK: &str = r#"if probe("web").ok {
    step "Close" {
        maintenance("web", "on");
    } rollback {
        maintenance("web", "off");
    }
} else {
    notify("incidents", "down");
}
"#;

fn missed(tests: &str) -> (Vec<String>, u8) {
    let report = tested(RUNBOOK, tests);
    let said = |missed: &lifeboat::runtime::Missed| {
        format!("{} {} {}", missed.site.line, missed.what, missed.outcomes.join(" ")).trim_end().to_owned()
    };
    let all = report.coverage.iter().flat_map(|of| of.missed.iter().map(said)).collect();
    (all, report.covered_percent())
}

#[test]
fn calls_outcomes_and_rollbacks_that_no_test_has_met() {
    let (all, percent) = missed("test \"a\" { expect(play(\"played.rhai\").ended == \"well\"); }");
    let never = [
        "1 probe fail degraded warn",
        "2 Close",
        "3 maintenance on failed failed-applied",
        "5 maintenance",
        "8 notify",
    ];
    assert_eq!(all, never);
    assert_eq!(percent, 13, "2 of 15");
}

#[test]
fn tests_add_up() {
    let both = "for ends in [\"pass\", \"fail\", \"degraded\", \"warn\"] {
        test ends { given(\"probe(web)\", ends); expect(play(\"played.rhai\").ended == \"well\"); }
    }";
    let (all, _) = missed(both);
    assert_eq!(all, ["2 Close", "3 maintenance on failed failed-applied", "5 maintenance", "8 notify undelivered"]);
}

#[test]
fn nothing_that_was_played_is_all_of_nothing() {
    let (all, percent) = missed("test \"a\" { expect(true); }");
    assert_eq!((all.len(), percent), (0, 100));
}
