//! Looks: what is a fact, and what an earlier call of the same runbook makes worthless.

use crate::case::{Case, cases};

cases! {
    /// Other tools answer the second question from the state before the change.
    a_check_that_depends_on_an_earlier_change => Case::of(r#"
        require(!probe("shop").ok, "it answers");
        exec("run", ["rm ill"]);
        require(probe("shop").ok, "it does not answer");
    "#)
    .given(|world| drop(world.write("ill", "")))
    .plan(&["observed probe shop", "assumed exec run", "assumed probe shop"]);

    a_second_look_is_as_good_as_the_first_where_nothing_was_changed => Case::of(r#"
        let before = probe("shop", #{ pointer: "/orders", at_least: 5 });
        log(`${before.value} orders`);
        notify("incidents", "looking");
        require(probe("shop", #{ pointer: "/orders", equals: before.value }).ok, "they have changed");
    "#)
    .plan(&["observed probe shop", "predicted log", "predicted notify incidents", "observed probe shop"]);

    every_look_is_a_fact_before_the_first_change => Case::of(r#"
        probe("shop");
        probe("shop", #{ path: "/nowhere", status: 404 });
        health("shop", #{ checks: #{ live: #{}, count: #{ pointer: "/orders", above: 100, critical: false } } });
        maintenance("shop");
        version("shop");
        configuration("app");
        configuration("app", "pool.size");
        drift("app", #{ expect: #{ mode: "fast" } });
        routes("lb");
        backups("primary");
        query("stock", "SELECT id, state FROM parts ORDER BY id", #{ limit: 2 });
        probe("stock", #{ query: "SELECT count(*) FROM parts", equals: 3 });
        exec("see", ["cat live; echo said >&2"]);
    "#)
    .plan(&[
        "observed probe shop",
        "observed probe shop",
        "observed health shop",
        "observed maintenance shop",
        "observed version shop",
        "observed configuration app",
        "observed configuration app",
        "observed drift app",
        "observed routes lb",
        "observed backups primary",
        "observed query stock",
        "observed probe stock",
        "observed exec see",
    ]);

    what_the_configuration_declares_independent_is_looked_at_behind_a_change => Case::of(r#"
        exec("run", ["touch ill"]);
        probe("primary", #{ query: "SELECT count(*) FROM orders" });
        probe("shop");
    "#)
    .independent(r#"independent = [["run", "primary"]]"#)
    .given(|world| drop(world.write("ill", "")))
    .pinned("probe(shop)=degraded")
    .plan(&["assumed exec run", "observed probe primary", "pinned probe shop"]);

    a_change_that_is_not_needed_leaves_the_facts_alone => Case::of(r#"
        maintenance("shop", "off");
        deploy("shop", #{ version: "1.0.0" });
        configure("app", #{ set: #{ mode: "slow" } });
        probe("shop");
    "#)
    .plan(&[
        "predicted maintenance shop",
        "predicted deploy shop",
        "predicted configure app",
        "observed probe shop",
    ])
    .file_left("closed", "");

    /// Behind another change nobody knows whether it is needed: what comes after it is no fact, either.
    a_change_that_only_seems_to_be_not_needed_is_one => Case::of(r#"
        exec("run", ["true"]);
        maintenance("shop", "on");
        probe("primary");
    "#)
    .independent(r#"independent = [["run", "primary"]]"#)
    .given(|world| drop(world.write("closed", "on")))
    .plan(&["assumed exec run", "assumed maintenance shop", "assumed probe primary"]);

    a_probe_that_fails_keeps_a_promotion_from_happening => Case::of(r#"
        require(!probe("shop").ok, "the shop answers: nothing is to be promoted");
        exec("run", ["echo 2.0.0 > live"]);
    "#)
    .plan(&["observed probe shop"])
    .fails("requirement")
    .file_left("live", "1.0.0");

    the_same_probe_lets_it_happen => Case::of(r#"
        require(!probe("shop").ok, "the shop answers: nothing is to be promoted");
        exec("run", ["echo 2.0.0 > live"]);
    "#)
    .given(|world| drop(world.write("ill", "")))
    .plan(&["observed probe shop", "assumed exec run"])
    .file_left("live", "2.0.0");

    a_look_that_throws_is_a_fact_as_well => Case::of(r#"
        let found = ();
        try { found = latest_backup("primary"); } catch (fault) {
            require(fault.code == "no-backup", fault.message);
            try { exec("see", ["echo broken >&2; exit 2"]); } catch (fault) { log(fault.code); }
            found = backup("primary");
        }
        notify("incidents", `the newest is ${found.id}`);
    "#)
    .plan(&[
        "observed latest_backup primary: no-backup",
        "observed exec see: exec-failed",
        "predicted log",
        "predicted backup primary",
        "assumed notify incidents",
    ]);
}
