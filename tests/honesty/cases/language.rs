//! The language: returns, functions, modules, other runbooks, branches, and bodies that are repeated.

use crate::case::{Case, cases};

/// A tool that succeeds the third time, and says before that it has changed nothing.
const THIRD: &str = r#"exec("run", ["echo x >> tries; test $(wc -l < tries) -ge 3 || exit 3"])"#;

cases! {
    an_early_return_leaves_out_the_rest => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        if configuration("app", "mode").value == "slow" { return "slow already"; }
        configure("app", #{ set: #{ mode: "slow" } });
    "#)
    .independent(r#"independent = [["shop", "app"]]"#)
    .plan(&["predicted maintenance shop", "observed configuration app"])
    .then_rolled_back()
    .file_left("closed", "off");

    a_return_from_a_function_is_none_from_the_runbook => Case::of(r#"
        fn wanted(size) { if size > 5 { return size; } size * 10 }
        configure("app", #{ set: #{ "pool.size": wanted(configuration("app", "pool.size").value / 5) } });
        log("done");
    "#)
    .plan(&["observed configuration app", "predicted configure app", "assumed log"]);

    another_runbook_is_a_part_of_this_one => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        let size = runbook("runbooks/grow.rhai", #{ to: 30 });
        notify("incidents", `grown to ${size}`);
    "#)
    .file("runbooks/grow.rhai", r#"
        param to: int;
        step "Grow" { configure("app", #{ set: #{ "pool.size": to } }); } rollback { configure("app", #{ set: #{ "pool.size": 10 } }); }
        to
    "#)
    .independent(r#"independent = [["shop", "app"]]"#)
    .plan(&["predicted maintenance shop", "predicted configure app", "assumed notify incidents"])
    .then_rolled_back()
    .file_left("closed", "off");

    another_runbook_fails_and_is_undone_before_this_one_catches_it => Case::of(r#"
        try { runbook("runbooks/grow.rhai"); } catch (fault) { log(fault.message); }
        probe("shop");
    "#)
    .file("runbooks/grow.rhai", r#"
        step "Grow" { configure("app", #{ set: #{ mode: "fast" } }); } rollback { configure("app", #{ set: #{ mode: "slow" } }); }
        require(configuration("env", "PORT").value == "443", "it speaks no TLS");
    "#)
    .independent(r#"independent = [["shop", "app"], ["app", "env"]]"#)
    .plan(&[
        "predicted configure app",
        "observed configuration env",
        "assumed configure app",
        "assumed log",
        "observed probe shop",
    ]);

    a_function_of_a_module_changes_things => Case::of(r#"
        import "doors" as doors;
        let was = doors::close("shop");
        log(`it was ${was}`);
        throw "not today";
    "#)
    .file("runbooks/doors.rhai", r#"
        /// Closes a service. Gives what it was.
        fn close(service) {
            let before = maintenance(service);
            step "Close" { maintenance(service, "on"); } rollback { maintenance(service, before); }
            before
        }
    "#)
    .plan(&["observed maintenance shop", "predicted maintenance shop", "assumed log", "assumed maintenance shop"])
    .fails("thrown")
    .file_left("closed", "off");

    the_standard_library_is_planned_like_anything_else => Case::of(r#"
        import "std/backups" as backups;
        let taken = backups::take_verified("primary");
        notify("incidents", `took ${taken.id}`);
    "#)
    .plan(&["predicted backup primary", "assumed verify_backup primary", "assumed notify incidents"]);

    branches_that_have_nothing_to_do_with_each_other => Case::of(r#"
        let open = parallel(["shop", "web"], #{ at_most: 2 }, |service| {
            step "Close" { maintenance(service, "on"); } rollback { maintenance(service, "off"); }
            service
        });
        log(`${open.len()} are closed`);
    "#)
    .independent(r#"independent = [["shop", "web"]]"#)
    .plan(&["predicted maintenance shop", "predicted maintenance web", "assumed log"])
    .then_rolled_back()
    .file_left("closed", "off")
    .file_left("maintenance", "off");

    /// Whichever comes first: what one changes the other may find, or not.
    branches_whose_targets_depend_on_each_other_know_nothing => Case::of(r#"
        parallel(["shop", "web"], #{ at_most: 2 }, |service| {
            probe("primary", #{ query: "SELECT count(*) FROM orders" });
            maintenance(service, "on");
        });
    "#)
    .plan(&[
        "assumed probe primary",
        "assumed maintenance shop",
        "assumed probe primary",
        "assumed maintenance web",
    ]);

    a_branch_that_fails_has_all_of_them_undone => Case::of(r#"
        parallel(["shop", "web"], #{ at_most: 2, finish: "all" }, |service| {
            step "Close" { maintenance(service, "on"); } rollback { maintenance(service, "off"); }
            require(service == "shop", "web stays as it is");
        });
    "#)
    .independent(r#"independent = [["shop", "web"]]"#)
    .plan(&[
        "predicted maintenance shop",
        "predicted maintenance web",
        "assumed maintenance web",
        "assumed maintenance shop",
    ])
    .fails("requirement")
    .file_left("closed", "off")
    .file_left("maintenance", "off");

    a_retry_that_succeeds_the_third_time => Case::of(&format!(r#"
        let out = retry(#{{ times: 3, every: "1ms" }}, || {THIRD});
        log(`exit code ${{out.code}}`);
    "#))
    .plan(&["assumed exec run", "assumed retry", "assumed log"])
    .file_left("tries", "x\nx\nx");

    a_retry_in_vain_fails_as_its_last_attempt_does => Case::of(&format!(r#"
        step "Close" {{ maintenance("shop", "on"); }} rollback {{ maintenance("shop", "off"); }}
        retry(#{{ times: 2, every: "1ms" }}, || {THIRD});
    "#))
    .pinned("exec(run)=failed")
    .plan(&[
        "predicted maintenance shop",
        "pinned exec run: exec-failed",
        "assumed retry: exec-failed",
        "assumed maintenance shop",
    ])
    .fails("exec-failed")
    .file_left("tries", "x\nx");

    what_is_waited_for_comes => Case::of(r#"
        exec("run", ["echo 3 > warming"]);
        wait_until("the shop answers", #{ timeout: "20s", every: "5ms" }, || probe("shop").ok);
        maintenance("shop", "on");
    "#)
    .plan(&["assumed exec run", "assumed probe shop", "assumed wait_until", "assumed maintenance shop"])
    .file_left("warming", "0");

    /// What was seen is a fact for the first look of the wait, and for no other.
    what_is_seen_not_to_be_so_yet_is_waited_for => Case::of(r#"
        wait_until("the shop answers", #{ timeout: "20s", every: "5ms" }, || probe("shop").ok);
        notify("incidents", "it answers again");
    "#)
    .given(|world| drop(world.write("ill", "")))
    .meanwhile(|world| {
        world.remove("ill");
        world.write("warming", "2");
    })
    .plan(&["observed probe shop", "assumed wait_until", "assumed notify incidents"]);

    what_holds_is_watched => Case::of(r#"
        hold("30ms", #{ label: "the shop is well", every: "5ms" }, || probe("shop").ok);
        log("it held");
    "#)
    .plan(&["observed probe shop", "assumed hold", "assumed log"]);

    what_does_not_hold_now_will_not_be_watched => Case::of(r#"
        hold("20s", #{ label: "the shop is well", every: "5ms" }, || probe("shop").ok);
        maintenance("shop", "on");
    "#)
    .given(|world| drop(world.write("ill", "")))
    .plan(&["observed probe shop", "predicted hold: not-held"])
    .fails("not-held")
    .file_left("closed", "");

    /// A map is no condition, and no waiting makes it one.
    a_mistake_in_what_is_waited_for => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        wait_until("the database answers", #{ timeout: "20s", every: "5ms" }, || probe("primary"));
    "#)
    .plan(&[
        "predicted maintenance shop",
        "assumed probe primary",
        "assumed wait_until: script",
        "assumed maintenance shop",
    ])
    .fails("script")
    .file_left("closed", "off");

    people_are_told_how_it_goes_while_a_block_runs => Case::of(r#"
        let done = during(#{ every: "1h", notify: "pager", message: "still closing", key: "closing" }) {
            step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
            "closed"
        };
        log(done);
    "#)
    .plan(&["predicted during pager", "predicted maintenance shop", "assumed log"])
    .posted(0);

    a_step_that_takes_too_long_is_left_and_undone => Case::of(r#"
        step "Wait" within "1s" {
            exec("run", ["touch waited"]);
            wait_until("never", #{ timeout: "20s", every: "10s" }, || probe("shop").ok);
        } rollback {
            exec("run", ["rm waited"]);
        }
    "#)
    .given(|world| drop(world.write("ill", "")))
    .pinned("wait_until=timeout")
    .plan(&["assumed exec run", "assumed probe shop", "pinned wait_until: timeout", "assumed exec run"])
    .leaves_behind(1)
    .file_left("waited", "");

    the_time_of_the_plan_is_not_that_of_the_run => Case::of(r#"
        let began = now();
        log(`began at ${began.iso}`);
        exec("run", ["echo " + began.epoch_ms + " > began"]);
    "#)
    .plan(&["assumed now", "predicted log", "assumed exec run"]);
}
