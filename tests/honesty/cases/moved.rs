//! The world moves between the plan and the run, and the reader has pinned what it will be: then the plan is what runs.

use crate::case::{Case, cases};

cases! {
    the_service_falls_ill => Case::of(r#"
        if probe("shop").ok { log("nothing to do"); return; }
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        notify("incidents", "the shop is closed");
    "#)
    .meanwhile(|world| drop(world.write("ill", "")))
    .pinned("probe(shop)=degraded")
    .plan(&["pinned probe shop", "predicted maintenance shop", "assumed notify incidents"])
    .file_left("closed", "on");

    the_service_comes_back => Case::of(r#"
        require(!probe("shop").ok, "the shop answers");
        maintenance("shop", "on");
    "#)
    .given(|world| drop(world.write("ill", "")))
    .meanwhile(|world| world.remove("ill"))
    .pinned("probe(shop)=pass")
    .plan(&["pinned probe shop"])
    .fails("requirement")
    .file_left("closed", "");

    somebody_closes_it_first => Case::of(r#"
        let before = maintenance("shop", "on");
        if before == "on" { log("it is closed already"); } else { notify("incidents", "the shop is closed"); }
    "#)
    .meanwhile(|world| drop(world.write("closed", "on")))
    .pinned("maintenance(shop)=on")
    .plan(&["pinned maintenance shop", "assumed log"])
    .file_left("closed", "on");

    somebody_deploys_it_first => Case::of(r#"
        let done = deploy("shop", #{ version: "1.1.0" });
        if done.changed { notify("incidents", "deployed"); } else { log("somebody was faster"); }
    "#)
    .meanwhile(|world| drop(world.write("live", "1.1.0")))
    .pinned("deploy(shop)=already")
    .plan(&["pinned deploy shop", "assumed log"]);

    somebody_sets_the_document_right_first => Case::of(r#"
        if drift("app", #{ expect: #{ mode: "fast" } }).ok { log("nothing to do"); return; }
        configure("app", #{ set: #{ mode: "fast" } });
    "#)
    .meanwhile(|world| drop(world.write("app.json", "{ \"mode\": \"fast\" }")))
    .pinned("drift(app)=same")
    .plan(&["pinned drift app", "predicted log"]);

    the_last_backup_is_lost => Case::of(r#"
        let from = ();
        try { from = latest_backup("primary"); } catch (fault) { require(fault.code == "no-backup", fault.message); }
        if from == () { backup("primary"); } else { restore("primary", #{ from: from.id }); }
    "#)
    .pinned("latest_backup(primary)=none")
    .plan(&["pinned latest_backup primary: no-backup", "predicted backup primary"]);

    the_rows_are_gone => Case::of(r#"
        for part in query("stock", "SELECT id FROM parts WHERE state = 'new'") {
            sql("stock", "DELETE FROM parts WHERE id = ?", #{ params: [part.id] });
        }
        log("none is left");
    "#)
    .meanwhile(|world| world.sql("stock", "UPDATE parts SET state = 'old'"))
    .pinned("query(stock)=none")
    .plan(&["pinned query stock", "predicted log"]);

    what_is_waited_for_does_not_come => Case::of(r#"
        step "Close" { maintenance("web", "on"); } rollback { maintenance("web", "off"); }
        wait_until("the shop answers", #{ timeout: "30ms", every: "5ms" }, || probe("shop").ok);
    "#)
    .independent(r#"independent = [["shop", "web"]]"#)
    .meanwhile(|world| drop(world.write("ill", "")))
    .pinned("probe(shop)=degraded")
    .pinned("wait_until=timeout")
    .plan(&[
        "predicted maintenance web",
        "pinned probe shop",
        "pinned wait_until: timeout",
        "assumed maintenance web",
    ])
    .fails("timeout")
    .file_left("maintenance", "off");

    what_held_stops_holding => Case::of(r#"
        step "Close" { maintenance("web", "on"); } rollback { maintenance("web", "off"); }
        hold("20s", #{ every: "5ms" }, || probe("shop").ok);
    "#)
    .independent(r#"independent = [["shop", "web"]]"#)
    .meanwhile(|world| drop(world.write("ill", "")))
    .pinned("probe(shop)=degraded")
    .pinned("hold=not-held")
    .plan(&[
        "predicted maintenance web",
        "pinned probe shop",
        "pinned hold: not-held",
        "assumed maintenance web",
    ])
    .fails("not-held")
    .file_left("maintenance", "off");

    a_program_stops_working => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        exec("run", ["test ! -e ill || exit 3"]);
    "#)
    .meanwhile(|world| drop(world.write("ill", "")))
    .pinned("exec(run)=failed")
    .plan(&["predicted maintenance shop", "pinned exec run: exec-failed", "assumed maintenance shop"])
    .fails("exec-failed")
    .file_left("closed", "off");

    /// Nothing is pinned: the run leaves the plan where the plan had said that it only assumes.
    nobody_has_pinned_it => Case::of(r#"
        exec("run", ["touch ran"]);
        if probe("shop").ok { notify("incidents", "it is well"); } else { notify("pager", "it is ill"); }
    "#)
    .meanwhile(|world| drop(world.write("ill", "")))
    .plan(&["assumed exec run", "assumed probe shop", "assumed notify incidents"])
    .leaves_behind(1)
    .posted(1);
}
