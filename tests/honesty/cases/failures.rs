//! Failures: at every place of nested steps, caught inside and outside of them, before and behind a point of no return.

use crate::case::{Case, cases};

/// Three steps, the second and third one inside the first; whatever stands for a letter comes there.
fn nested(place: char) -> String {
    let mut runbook = r#"
        step "Close" {
            maintenance("shop", "on");
            A
            step "Size" {
                configure("app", #{ set: #{ "pool.size": 20 } });
                B
            } rollback {
                configure("app", #{ set: #{ "pool.size": 10 } });
            }
            C
            step "Mode" {
                configure("env", #{ set: #{ MODE: "fast" } });
                D
            } rollback {
                configure("env", #{ set: #{ MODE: "slow" } });
            }
        } rollback {
            maintenance("shop", "off");
        }
        E
    "#
    .to_owned();
    for letter in ["A", "B", "C", "D", "E"] {
        let fails = if letter.starts_with(place) { "require(false, \"here\");" } else { "" };
        runbook = runbook.replace(&format!("{letter}\n"), &format!("{fails}\n"));
    }
    runbook
}

/// It fails there; everything is as it was.
fn nested_fails(place: char) -> Case {
    Case::of(&nested(place))
        .independent(r#"independent = [["shop", "app"], ["shop", "env"], ["app", "env"]]"#)
        .fails("requirement")
        .file_left("closed", "off")
        .file_left("app.env", "PORT=80\nMODE=slow")
}

const SHOP: &str = "predicted maintenance shop";
const APP: &str = "predicted configure app";
const ENV: &str = "predicted configure env";
const APP_BACK: &str = "assumed configure app";
const ENV_BACK: &str = "assumed configure env";
const SHOP_BACK: &str = "assumed maintenance shop";

cases! {
    nested_steps_fail_in_the_outer_one_first => nested_fails('A').plan(&[SHOP, SHOP_BACK]);

    nested_steps_fail_in_the_first_inner_one => nested_fails('B').plan(&[SHOP, APP, APP_BACK, SHOP_BACK]);

    nested_steps_fail_between_the_inner_ones => nested_fails('C').plan(&[SHOP, APP, APP_BACK, SHOP_BACK]);

    nested_steps_fail_in_the_last_inner_one =>
        nested_fails('D').plan(&[SHOP, APP, ENV, ENV_BACK, APP_BACK, SHOP_BACK]);

    nested_steps_fail_behind_all_of_them =>
        nested_fails('E').plan(&[SHOP, APP, ENV, ENV_BACK, APP_BACK, SHOP_BACK]);

    nested_steps_go_well_and_are_rolled_back_later => Case::of(&nested('-'))
        .independent(r#"independent = [["shop", "app"], ["shop", "env"], ["app", "env"]]"#)
        .plan(&[SHOP, APP, ENV])
        .then_rolled_back()
        .file_left("closed", "off")
        .file_left("app.env", "PORT=80\nMODE=slow");

    /// The step has undone itself before the script catches anything.
    a_fault_is_caught_outside_of_its_step => Case::of(r#"
        try {
            step "Close" { maintenance("shop", "on"); throw "half-way"; } rollback { maintenance("shop", "off"); }
        } catch (why) {
            notify("incidents", `not closed: ${why}`);
        }
        require(maintenance("shop") == "off", "it is closed");
    "#)
    .plan(&[
        "predicted maintenance shop",
        "assumed maintenance shop",
        "assumed notify incidents",
        "assumed maintenance shop",
    ])
    .file_left("closed", "off");

    a_fault_is_caught_inside_of_its_step => Case::of(r#"
        step "Close" {
            maintenance("shop", "on");
            try { exec("see", ["exit 2"]); } catch (fault) { log(fault.code); }
        } rollback { maintenance("shop", "off"); }
    "#)
    .pinned("exec(see)=failed")
    .plan(&["predicted maintenance shop", "pinned exec see: exec-failed", "assumed log"])
    .then_rolled_back()
    .file_left("closed", "off");

    a_failure_behind_a_point_of_no_return_leaves_things_as_they_are => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        point_of_no_return("the old one is gone");
        step "Size" { configure("app", #{ set: #{ "pool.size": 20 } }); } rollback { configure("app", #{ set: #{ "pool.size": 10 } }); }
        throw "too late";
    "#)
    .independent(r#"independent = [["shop", "app"]]"#)
    .plan(&[
        "predicted maintenance shop",
        "predicted point_of_no_return",
        "predicted configure app",
        "assumed configure app",
    ])
    .fails("thrown")
    .file_left("closed", "on");

    a_failure_before_it_is_undone => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        require(configuration("app", "mode").value == "fast", "it is slow");
        point_of_no_return("the old one is gone");
    "#)
    .independent(r#"independent = [["shop", "app"]]"#)
    .plan(&["predicted maintenance shop", "observed configuration app", "assumed maintenance shop"])
    .fails("requirement")
    .file_left("closed", "off");

    a_rollback_that_fails_does_not_keep_the_others_from_running => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        step "Mark" { configure("app", #{ set: #{ mode: "fast" } }); } rollback { exec("run", ["exit 3"]); }
        throw "no";
    "#)
    .independent(r#"independent = [["shop", "app"]]"#)
    .pinned("exec(run)=failed")
    .plan(&[
        "predicted maintenance shop",
        "predicted configure app",
        "pinned exec run: exec-failed",
        "assumed maintenance shop",
    ])
    .fails("thrown")
    .file_left("closed", "off");

    /// Without a check nobody can say whether it took place: the plan has said so, and the run stops there.
    a_program_without_a_check_that_fails_ends_in_doubt => Case::of(r#"
        step "Promote" { exec("run", ["touch half; exit 1"]); } rollback { exec("run", ["rm half"]); }
        log("promoted");
    "#)
    .plan(&["assumed exec run", "assumed log"])
    .leaves_behind(0);

    a_check_finds_that_a_failed_program_did_its_work => Case::of(r#"
        step "Promote" { exec("checked", ["touch done; exit 1"]); } rollback { exec("run", ["rm done"]); }
        log("promoted");
    "#)
    .plan(&["assumed exec checked", "assumed log"])
    .then_rolled_back()
    .file_left("done", "");

    a_check_finds_that_it_did_not => Case::of(r#"
        step "Promote" { exec("checked", ["exit 1"]); } rollback { exec("run", ["touch undone"]); }
        log("promoted");
    "#)
    .pinned("exec(checked)=failed")
    .plan(&["pinned exec checked: exec-failed", "assumed exec run"])
    .fails("exec-failed");

    what_a_tool_refuses_is_foreseen => Case::of(r#"
        maintenance("shop", "on");
        exec("narrow", ["everything"]);
    "#)
    .independent(r#"independent = [["shop", "narrow"]]"#)
    .plan(&["predicted maintenance shop", "predicted exec narrow: exec-refused"])
    .fails("exec-refused");

    /// The rollback comes to its end, and the service stays closed: no path may say that nothing is left changed.
    a_rollback_that_does_nothing_leaves_the_service_closed => Case::of(r#"
        step "Close" { maintenance("shop", "on"); require(false, "here"); } rollback { log("nothing"); }
    "#)
    .plan(&["predicted maintenance shop", "assumed log"])
    .fails("requirement")
    .file_left("closed", "on");

    /// Somebody has closed it before, and the rollback opens it.
    a_rollback_to_the_wrong_state_opens_what_was_closed => Case::of(r#"
        step "Close" { maintenance("shop", "on"); require(false, "here"); } rollback { maintenance("shop", "off"); }
    "#)
    .given(|world| drop(world.write("closed", "on")))
    .plan(&["predicted maintenance shop", "predicted maintenance shop"])
    .fails("requirement")
    .file_left("closed", "off");

    a_rollback_that_only_looks_leaves_the_new_version => Case::of(r#"
        step "Deploy" { deploy("shop", #{ version: "2.0.0" }); require(false, "here"); } rollback { version("shop"); }
    "#)
    .plan(&["predicted deploy shop", "assumed version shop"])
    .fails("requirement")
    .file_left("live", "2.0.0");

    a_rollback_of_something_else_leaves_the_document_changed => Case::of(r#"
        step "Size" { configure("env", #{ set: #{ MODE: "fast" } }); require(false, "here"); } rollback {
            maintenance("shop", "off");
        }
    "#)
    .independent(r#"independent = [["shop", "env"]]"#)
    .plan(&["predicted configure env", "predicted maintenance shop"])
    .fails("requirement")
    .file_left("app.env", "PORT=80\nMODE=fast");

    a_rollback_that_gives_traffic_to_both_is_no_way_back => Case::of(r#"
        let before = routes("lb").shares;
        step "Move" { route("lb", #{ to: "green" }); require(false, "here"); } rollback {
            route("lb", #{ shares: #{ blue: 50, green: 50 } });
        }
    "#)
    .plan(&["observed routes lb", "predicted route lb", "assumed route lb"])
    .fails("requirement");
}
