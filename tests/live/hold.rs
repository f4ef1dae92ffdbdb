//! `hold`: a condition that must keep holding.

use lifeboat::runtime::Status;

use crate::trial::{Told, Trial};

fn run(runbook: &str) -> Told {
    Trial::of(runbook).run()
}

#[test]
fn no_time_is_one_check() {
    let told = run(r#"hold("0s", || probe("web").ok);"#);
    assert_eq!((told.status(), told.project.web.requests()), (Status::Completed, 1));
    let told = run(r#"hold("0s", || false);"#);
    let fault = told.fault();
    assert_eq!(
        (fault.code.as_str(), fault.message.as_str()),
        ("not-held", "the condition did not hold from the beginning")
    );
    assert_eq!(fault.site.as_deref(), Some("runbooks/trial.rhai:1:1"));
}

#[test]
fn it_is_checked_for_the_whole_time_and_once_more_at_its_end() {
    let told = run(r#"let n = 0; hold("30ms", #{ every: "10ms" }, || { n += 1; true }); n"#);
    assert_eq!(told.status(), Status::Completed, "{:?}", told.ran().verdict);
    let last = told.recorded().into_iter().rfind(|line| line.starts_with("settle")).expect("it is recorded");
    assert_eq!(last, "settle hold: ()");
    // However slow the machine is: one check at the beginning and one when the time is over.
    let told = run(r#"let n = 0; hold("5ms", #{ every: "1h" }, || { n += 1; true }); n"#);
    assert_eq!(told.ran().verdict, lifeboat::model::Verdict::Completed(lifeboat::model::Value::Int(2)));
}

#[test]
fn it_ends_the_first_time_that_the_condition_does_not_hold() {
    let told = run(r#"let n = 0; hold("1h", #{ label: "the canary is well", every: "1ms" }, || { n += 1; n < 3 });"#);
    let message = &told.fault().message;
    assert!(message.starts_with("\"the canary is well\" stopped holding after "), "{message}");
    assert!(message.contains(" of 1h"), "{message}");
}

#[test]
fn it_says_what_the_last_look_found() {
    let told = run(r#"hold("1h", || probe("web", #{ contains: "nonesuch" }).ok);"#);
    let message = &told.fault().message;
    assert!(message.starts_with("the condition did not hold from the beginning: probe web: "), "{message}");
    assert!(message.contains("nonesuch"), "{message}");
    let told = run(r#"hold("1h", || { throw "no gauge"; });"#);
    assert_eq!(told.fault().message, "the condition did not hold from the beginning: no gauge");
}

#[test]
fn failing_checks_in_a_row_are_borne_with_as_far_as_it_says() {
    let told = run(r#"let n = 0; hold("20ms", #{ every: "1ms", tolerate: 1 }, || { n += 1; n % 2 == 1 });"#);
    assert_eq!(told.status(), Status::Completed, "every second check fails, never two in a row");
    let told = run(r#"hold("1h", #{ every: "1ms", tolerate: 2 }, || false);"#);
    assert_eq!(told.fault().message, "the condition did not hold from the beginning, 3 times in a row");
}

#[test]
fn it_never_ends_well_on_a_failing_check() {
    let told = run(r#"let n = 0; hold("0s", #{ every: "1ms", tolerate: 5 }, || { n += 1; n > 3 }); n"#);
    assert_eq!(told.ran().verdict, lifeboat::model::Verdict::Completed(lifeboat::model::Value::Int(4)));
    let told = run(r#"hold("0s", #{ every: "1ms", tolerate: 1 }, || false);"#);
    assert_eq!(told.fault().code, "not-held");
}

#[test]
fn a_mistake_in_the_body_is_not_what_it_watches() {
    let told = run(r#"hold("1h", #{ tolerate: 9 }, || probe("web"));"#);
    assert_eq!(told.fault().code, "script");
    assert_eq!(told.fault().hint.as_deref(), Some("did you mean its field `.ok`?"));
}

#[test]
fn what_the_steps_around_it_did_is_undone() {
    let runbook = r#"
        step "Open north" {
            turn("north", "open");
            hold("1h", || probe("web", #{ contains: "nonesuch" }).ok);
        } rollback {
            turn("north", "closed");
        }"#;
    let told = run(runbook);
    assert_eq!((told.status(), told.effects()), (Status::RolledBack, vec!["north open".into(), "north closed".into()]));
}
