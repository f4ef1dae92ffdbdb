//! Changes, one kind after the other: what the driver computes is what then takes place.

use crate::case::{Case, cases};

cases! {
    maintenance_around_a_change_gives_back_what_was_there => Case::of(r#"
        let before = maintenance("shop");
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", before); }
        step "Size" { configure("app", #{ set: #{ "pool.size": 20 } }); } rollback { configure("app", #{ set: #{ "pool.size": 10 } }); }
        maintenance("shop", before);
        require(probe("shop").ok, "it is closed still");
    "#)
    .independent(r#"independent = [["shop", "app"]]"#)
    .plan(&[
        "observed maintenance shop",
        "predicted maintenance shop",
        "predicted configure app",
        "assumed maintenance shop",
        "assumed probe shop",
    ])
    .file_left("closed", "off");

    a_document_is_changed_key_by_key_and_put_back => Case::of(r#"
        let before = configuration("app", "pool.size").value;
        let change = ();
        step "Grow" {
            change = configure("app", #{ set: #{ "pool.size": before * 2, "pool.idle": true }, unset: ["mode"] });
        } rollback {
            configure("app", #{ set: #{ "pool.size": before, mode: "slow" }, unset: ["pool.idle"] });
        }
        log(`${change.changes.len()} keys, ${change.detail}`);
    "#)
    .plan(&["observed configuration app", "predicted configure app", "assumed log"])
    .then_rolled_back()
    .file_left("app.env", "PORT=80\nMODE=slow");

    a_template_of_a_configuration_is_filled_in_from_what_was_found => Case::of(r#"
        fn template(orders, version) {
            #{ MODE: if orders > 5 { "fast" } else { "slow" }, RELEASE: version, MOTTO: `${orders} orders, as of ${version}` }
        }
        let found = probe("shop", #{ pointer: "/orders" }).value;
        configure("env", #{ set: template(found, version("shop").version) });
    "#)
    .plan(&["observed probe shop", "observed version shop", "predicted configure env"])
    .file_left("app.env", "PORT=80\nMODE=fast\nMOTTO='7 orders, as of 1.0.0'\nRELEASE=1.0.0");

    a_document_is_brought_back_to_a_version_that_is_made_here => Case::of(r#"
        let change = configure("app", #{ set: #{ mode: "fast" } });
        configure("app", #{ restore: change.undo });
    "#)
    .plan(&["predicted configure app", "assumed configure app"]);

    a_document_that_its_validation_would_refuse => Case::of(r#"
        configure("env", #{ unset: ["PORT"] });
    "#)
    .pinned("configure(env)=invalid")
    .plan(&["pinned configure env: configure-invalid"])
    .fails("configure-invalid")
    .file_left("app.env", "PORT=80\nMODE=slow");

    traffic_is_moved_and_moved_back => Case::of(r#"
        let before = routes("lb").shares;
        step "Move" { route("lb", #{ to: "green" }); } rollback { route("lb", #{ shares: before }); }
    "#)
    .plan(&["observed routes lb", "predicted route lb"])
    .then_rolled_back();

    a_program_is_carried_out_once_for_each_call => Case::of(r#"
        for n in 0..3 { exec("run", [`echo ${n} >> said`]); }
        require(exec("see", ["wc -l < said"]).ok, "it is not there");
    "#)
    .plan(&["assumed exec run", "assumed exec run", "assumed exec run", "assumed exec see"])
    .file_left("said", "0\n1\n2");

    what_a_program_destroys_is_shown_as_such => Case::of(r#"
        let out = exec("raze", ["rm app.json"]);
        log(`exit code ${out.code}`);
    "#)
    .plan(&["assumed exec raze", "assumed log"])
    .file_left("app.json", "");

    figures_are_kept_as_they_were_found => Case::of(r#"
        measure("orders", probe("shop", #{ pointer: "/orders" }).value);
        measure("rpo", 3, #{ unit: "s" });
    "#)
    .plan(&["observed probe shop", "predicted measure", "predicted measure"]);
}
