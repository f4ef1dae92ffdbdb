//! Releases, deployed by programs.

use crate::case::{Case, cases};

cases! {
    a_version_is_deployed_and_taken_back => Case::of(r#"
        let before = version("shop").version;
        step "Deploy" { deploy("shop", #{ version: "1.1.0" }); } rollback { deploy("shop", #{ version: before }); }
        require(version("shop").version != before || probe("shop").ok, "it is the old one, and ill");
    "#)
    .plan(&["observed version shop", "predicted deploy shop", "assumed version shop"])
    .open("depends on `‹version:shop.version› != \"1.0.0\"`")
    .file_left("live", "1.1.0");

    a_version_that_is_live_already_is_left_alone => Case::of(r#"
        let done = deploy("shop", #{ version: "1.0.0" });
        if done.changed { notify("incidents", "deployed"); } else { log("nothing to do"); }
        require(probe("shop").ok, "it is ill");
    "#)
    .plan(&["predicted deploy shop", "predicted log", "observed probe shop"]);

    the_old_version_comes_back_when_a_later_check_fails => Case::of(r#"
        let before = version("shop").version;
        step "Deploy" {
            deploy("shop", #{ version: "1.1.0" });
            require(probe("shop", #{ pointer: "/orders", at_least: 100 }).ok, "too few orders");
        } rollback {
            deploy("shop", #{ version: before });
        }
    "#)
    .plan(&["observed version shop", "predicted deploy shop", "assumed probe shop"])
    .leaves_behind(2)
    .file_left("live", "1.0.0");

    a_version_that_does_not_come_up_is_live_all_the_same => Case::of(r#"
        let before = version("shop").version;
        step "Deploy" { deploy("shop", #{ version: "1.1.0" }); } rollback { deploy("shop", #{ version: before, health: false }); }
    "#)
    .given(|world| drop(world.write("ill", "")))
    .pinned("deploy(shop)=unhealthy-but-applied")
    .plan(&["observed version shop", "pinned deploy shop: deploy-unhealthy", "assumed deploy shop"])
    .fails("deploy-unhealthy");

    a_strategy_of_the_standard_library => Case::of(r#"
        import "std/deploy" as strategies;
        let done = strategies::direct("shop", "1.1.0");
        log(`${done.previous} → ${done.version}`);
    "#)
    .plan(&["observed version shop", "predicted deploy shop", "assumed probe shop", "assumed log"])
    .then_rolled_back()
    .file_left("live", "1.0.0");

    a_migration_comes_before_its_release_and_goes_after_it => Case::of(r#"
        let before = version("shop").version;
        step "Migrate" { migrate("stock", #{ to: "0001" }); } rollback { log("the schema only adds: it stays"); }
        step "Deploy" { deploy("shop", #{ version: "1.1.0" }); } rollback { deploy("shop", #{ version: before }); }
        throw "not good enough";
    "#)
    .independent(r#"independent = [["shop", "stock"]]"#)
    .plan(&[
        "observed version shop",
        "predicted migrate stock",
        "predicted deploy shop",
        "assumed deploy shop",
        "assumed log",
    ])
    .fails("thrown")
    .file_left("live", "1.0.0");
}
