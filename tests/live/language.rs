//! What the language itself brings, for real: waiting, retrying, child runbooks, questions.

use lifeboat::model::{Value, Verdict};
use lifeboat::runtime::Status;

use crate::trial::Trial;
use crate::valve::Does;

#[test]
fn a_wait_in_vain_says_for_what_and_how_long() {
    let told = Trial::of(r#"wait_until("north is open", #{ timeout: "30ms", every: "10ms" }, || false);"#).run();
    let fault = told.fault();
    assert_eq!(fault.code, "timeout");
    assert_eq!(fault.message, "waited 30ms for \"north is open\", in vain");
    assert_eq!(fault.site.as_deref(), Some("runbooks/trial.rhai:1:1"));
}

#[test]
fn a_wait_in_vain_says_why_the_condition_failed() {
    let body = r#"throw "no gauge";"#;
    let runbook = format!("wait_until(\"pressure\", #{{ timeout: \"20ms\", every: \"10ms\" }}, || {{ {body} }});");
    assert_eq!(Trial::of(&runbook).run().fault().message, "waited 20ms for \"pressure\", in vain: no gauge");
}

#[test]
fn a_wait_ends_as_soon_as_the_condition_holds() {
    let trial = Trial::of(r#"wait_until("web answers", #{ timeout: "1h", every: "1ms" }, || probe("web").ok); "done""#);
    let told = trial.run();
    assert_eq!(told.ran().verdict, Verdict::Completed(Value::from("done")));
    assert_eq!(told.project.web.requests(), 1);
}

#[test]
fn all_attempts_of_a_retry_share_one_idempotency_key() {
    let runbook = r#"retry(#{ times: 3, every: "1ms" }, || { turn("south", "open"); turn("north", "open") })"#;
    let told = Trial::of(runbook).north(&[Does::Sticks, Does::IsNotReached]).run();
    assert_eq!(told.status(), Status::Completed, "{:?}", told.ran().verdict);
    let keys = told.attempted_keys();
    let [south, north] = [&keys[0], &keys[1]];
    assert_eq!(keys, [south, north, south, north, south, north].map(Clone::clone));
    assert_ne!(south, north);
    assert_eq!(told.ran().verdict, Verdict::Completed(Value::from("closed")), "it returns what the body returns");
}

#[test]
fn a_retry_that_never_succeeds_throws_the_last_fault() {
    let runbook = r#"retry(#{ times: 2, every: "1ms" }, || turn("north", "open"))"#;
    let told = Trial::of(runbook).north(&[Does::Sticks; 3]).run();
    assert_eq!((told.fault().code.as_str(), told.attempted_keys().len()), ("stuck", 2));
    assert_eq!((told.status(), told.sentence().as_str()), (Status::RolledBack, "nothing was changed"));
}

const CHILD: &str = r#"
//! Opens a valve.
param valve: string;
step "Open it" {
    turn(valve, "open");
} rollback {
    turn(valve, "closed");
}
`${valve} is open`
"#;

#[test]
fn a_child_runbook_takes_parameters_and_returns_its_last_value() {
    let told =
        Trial::of(r#"runbook("runbooks/open.rhai", #{ valve: "south" })"#).file("runbooks/open.rhai", CHILD).run();
    assert_eq!(told.ran().verdict, Verdict::Completed(Value::from("south is open")));
    assert_eq!(
        told.recorded(),
        [
            "started runbooks/trial.rhai",
            "enter child runbooks/open.rhai",
            "enter step Open it",
            "intend turn south open",
            "settle turn south: closed",
            "leave Open it: completed, owes",
            "leave runbooks/open.rhai: completed, owes",
            "end completed",
        ]
    );
}

#[test]
fn what_a_child_owes_is_owed_by_its_caller() {
    let runbook = "runbook(\"runbooks/open.rhai\", #{ valve: \"south\" });\nthrow \"it leaks\";";
    let told = Trial::of(runbook).file("runbooks/open.rhai", CHILD).run();
    assert_eq!((told.status(), told.effects()), (Status::RolledBack, vec!["south open".into(), "south closed".into()]));
}

#[test]
fn a_child_that_fails_is_undone_before_its_caller_goes_on() {
    let runbook = r#"
        try { runbook("runbooks/leaking.rhai", #{ valve: "south" }); } catch (fault) { turn("north", "open"); }
    "#;
    let leaking = format!("{CHILD};\nthrow \"it leaks\";");
    let told = Trial::of(runbook).file("runbooks/leaking.rhai", &leaking).run();
    assert_eq!(told.status(), Status::Completed);
    assert_eq!(told.effects(), ["south open", "south closed", "north open"]);
}

#[test]
fn a_question_is_answered_by_the_host_and_a_no_ends_the_run() {
    let runbook = "let who = ask(\"Who is on call?\");\nconfirm(`Open it, ${who}?`);\nturn(\"north\", \"open\");";
    let told = Trial::of(runbook).answers(&["ada", "yes"]).run();
    assert_eq!((told.status(), told.asked.join(" ")), (Status::Completed, "Who is on call? Open it, ada?".into()));
    let told = Trial::of(runbook).answers(&["ada", "no"]).run();
    assert_eq!((told.status(), told.fault().code.as_str()), (Status::RolledBack, "not-confirmed"));
    assert_eq!(told.effects(), [""; 0]);
    let told = Trial::of(runbook).failing_unanswered().run();
    assert_eq!((told.status(), told.effects().len()), (Status::RolledBack, 0), "nobody is there to say who");
}
