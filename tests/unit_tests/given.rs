//! What a test gives: cases, one after the other, values, arguments; and what goes the likely way.

use crate::{RUNBOOK, passes};

const DOWN: &str = "given(\"probe(primary)\", [\"fail\"]);";

#[test]
fn what_is_not_given_goes_the_likely_way() {
    passes(
        RUNBOOK,
        r#"let ran = play("played.rhai"); expect(ran.fault == "requirement"); expect(ran.calls.len() == 1);"#,
    );
}

#[test]
fn a_case_holds_for_every_call() {
    let looks = "let a = probe(\"web\").ok; let b = probe(\"web\").ok; [a, b]";
    passes(looks, r#"given("probe(web)=fail"); expect(play("played.rhai").value == [false, false]);"#);
    passes(looks, r#"given("probe", "fail"); expect(play("played.rhai").value == [false, false]);"#);
    passes(looks, r#"given("probe(web)", ["fail"]); expect(play("played.rhai").value == [false, true]);"#);
    passes(looks, r#"given("probe(web)", ["pass", "fail"]); expect(play("played.rhai").value == [true, false]);"#);
}

#[test]
fn a_list_begins_anew_with_each_play() {
    let looks = "probe(\"web\").ok";
    passes(
        looks,
        r#"given("probe(web)", ["fail"]);
        expect(!play("played.rhai").value);
        expect(!play("played.rhai").value);"#,
    );
}

#[test]
fn the_last_line_counts_and_what_is_usual_only_where_nothing_else_is_given() {
    let looks = "probe(\"web\").status";
    passes(
        looks,
        r#"given("probe(web)=fail"); given("probe(web)=pass"); expect(play("played.rhai").value == "pass");"#,
    );
    passes(
        looks,
        r#"given("probe(web)=fail"); usually("probe(web)=pass"); expect(play("played.rhai").value == "fail");"#,
    );
    // Nothing needs to meet it.
    passes(looks, r#"usually("probe(primary)", ["fail", "pass"]); expect(play("played.rhai").value == "pass");"#);
}

#[test]
fn values_are_given_with_or_without_a_case() {
    let found = "let found = latest_backup(\"primary\"); [found.id, found.verified]";
    passes(
        found,
        r#"given("latest_backup(primary)", #{ id: "b7" }); expect(play("played.rhai").value == ["b7", true]);"#,
    );
    passes(
        found,
        r#"given("latest_backup(primary)=unverified", #{ id: "b7" }); expect(play("played.rhai").value == ["b7", false]);"#,
    );
    // Fields with few values choose the case.
    passes(found, r#"given("latest_backup(primary)", #{ verified: false }); expect(!play("played.rhai").value[1]);"#);
    passes("probe(\"web\").down", r#"given("probe(web)", #{ ok: false }); expect(play("played.rhai").value);"#);
    passes(
        "let all = backups(\"primary\"); all.map(|one| one.id)",
        r#"given("backups(primary)", [[#{ id: "a" }, #{ id: "b" }]]); expect(play("played.rhai").value == ["a", "b"]);"#,
    );
    passes("ask(\"Which?\")", r#"given("ask=answered", "blue"); expect(play("played.rhai").value == "blue");"#);
}

#[test]
fn arguments_tell_one_call_from_another() {
    let looks = "[probe(\"web\", #{ path: \"/a\" }).ok, probe(\"web\", #{ path: \"/b\" }).ok]";
    passes(
        looks,
        r#"given("probe(web)", #{ path: "/b" }, "fail"); expect(play("played.rhai").value == [true, false]);"#,
    );
    passes(
        looks,
        r#"given("probe(web)", #{ path: "*a" }, "fail"); expect(play("played.rhai").value == [false, true]);"#,
    );
}

#[test]
fn later_looks_agree_with_what_was_done() {
    let closes = "maintenance(\"web\", \"on\"); let now = maintenance(\"web\"); maintenance(\"web\", \"on\"); now";
    passes(
        closes,
        r#"let ran = play("played.rhai");
        expect(ran.value == "on");
        expect(ran.calls[0].changed && !ran.calls[2].changed, "it is closed already");"#,
    );
}

#[test]
fn a_wait_looks_until_it_comes_true_or_its_time_is_over() {
    let down = |rest: &str| format!("{DOWN}{rest} let ran = play(\"played.rhai\");");
    passes(
        RUNBOOK,
        &down(r#"given("probe(web)", ["fail", "fail", "pass"]);"#).replace(
            "play(\"played.rhai\");",
            "play(\"played.rhai\"); expect(ran.count(\"probe(web)\") == 3); expect(ran.ended == \"well\");",
        ),
    );
    // 5 s with a look each second, and one at the beginning.
    passes(
        RUNBOOK,
        &format!(
            "{} expect(ran.fault == \"timeout\"); expect(ran.count(\"probe(web)\") == 6);",
            down("given(\"probe(web)=fail\");")
        ),
    );
    passes(RUNBOOK, &format!("{} expect(ran.fault == \"timeout\");", down("given(\"wait_until=not in time\");")));
}

#[test]
fn a_hold_bears_with_as_many_failures_as_it_says() {
    let holds = "hold(\"3s\", #{ every: \"1s\", tolerate: 1 }, || probe(\"web\").ok);";
    passes(
        holds,
        r#"given("probe(web)", ["pass", "fail", "pass", "pass"]); expect(play("played.rhai").ended == "well");"#,
    );
    passes(holds, r#"given("probe(web)", ["pass", "fail", "fail"]); expect(play("played.rhai").fault == "not-held");"#);
}

#[test]
fn a_retry_tries_again_while_it_fails() {
    let tries = "retry(#{ times: 3 }, || restore(\"primary\", #{ from: \"b\" }));";
    passes(
        tries,
        r#"given("restore(primary)", ["failed", "failed"]);
        let ran = play("played.rhai");
        expect(ran.ended == "well");
        expect(ran.count("restore(primary)") == 3);"#,
    );
    passes(tries, r#"given("restore(primary)=failed"); expect(play("played.rhai").fault == "restore-failed");"#);
}

#[test]
fn a_person_cancels_and_what_is_owed_is_undone() {
    passes(
        RUNBOOK,
        &format!(
            "{DOWN} given(\"latest_backup(primary)=cancelled\"); let ran = play(\"played.rhai\");
            expect(ran.ended == \"failed and restored\"); expect(ran.fault == \"cancelled\");
            expect(ran.rolled_back == [\"Close\"]); expect(!ran.called(\"restore\"));"
        ),
    );
}

#[test]
fn a_failed_change_may_have_taken_place() {
    passes(
        RUNBOOK,
        &format!(
            "{DOWN} given(\"restore(primary)=failed-but-applied\"); let ran = play(\"played.rhai\");
            expect(ran.ended == \"left changed\"); expect(ran.left_changed.len() == 1);
            expect(ran.state(\"web\").maintenance == \"off\", \"what can be undone is\");"
        ),
    );
}
