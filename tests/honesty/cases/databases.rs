//! Databases: backups, restores, migrations, and statements with the rows that they affect.

use crate::case::{Case, cases};

cases! {
    a_backup_that_is_taken_now_is_restored_later => Case::of(r#"
        let taken = backup("primary");
        verify_backup("primary", #{ id: taken.id });
        sql("primary", "DELETE FROM orders");
        restore("primary", #{ from: taken.id });
        require(probe("primary", #{ query: "SELECT count(*) FROM orders", at_least: 1 }).ok, "it is empty");
        notify("incidents", `restored from ${taken.id}`);
    "#)
    .plan(&[
        "predicted backup primary",
        "assumed verify_backup primary",
        "assumed sql primary",
        "assumed restore primary",
        "assumed probe primary",
        "assumed notify incidents",
    ])
    .row_left("primary", "SELECT count(*) FROM orders", "3");

    the_newest_verified_backup_is_the_one_that_was_verified_here => Case::of(r#"
        backup("primary");
        verify_backup("primary");
        let newest = latest_backup("primary", #{ verified: true });
        restore("primary", #{ from: newest.id });
    "#)
    .plan(&[
        "predicted backup primary",
        "assumed verify_backup primary",
        "assumed latest_backup primary",
        "assumed restore primary",
    ]);

    /// Other tools loop over the list as it was, and leave out the backup that the runbook itself takes.
    a_loop_over_a_list_that_an_earlier_step_changes_is_not_unrolled => Case::of(r#"
        backup("primary");
        for stored in backups("primary") {
            verify_backup("primary", #{ id: stored.id });
        }
    "#)
    .plan(&["predicted backup primary", "assumed backups primary"])
    .open("how often the loop runs depends on ‹backups:primary›");

    a_loop_over_rows_is_unrolled_where_the_rows_are_a_fact => Case::of(r#"
        for part in query("stock", "SELECT id FROM parts WHERE state = 'new' ORDER BY id") {
            sql("stock", "UPDATE parts SET state = 'done' WHERE id = ?", #{ params: [part.id], expect_rows: 1 });
        }
        sql("stock", "DELETE FROM parts WHERE state = 'done'", #{ expect_rows: 2 });
    "#)
    .unwalked("a list that a look finds has one item on every path")
    .plan(&["observed query stock", "assumed sql stock", "assumed sql stock", "assumed sql stock"])
    .row_left("stock", "SELECT group_concat(id) FROM parts", "3");

    and_not_where_a_statement_has_changed_them => Case::of(r#"
        sql("stock", "UPDATE parts SET state = 'new'");
        for part in query("stock", "SELECT id FROM parts WHERE state = 'new'") { log(`${part.id}`); }
    "#)
    .unwalked("a list that a look finds has one item on every path")
    .plan(&["assumed sql stock", "assumed query stock"])
    .open("how often the loop runs depends on ‹query:stock›");

    rows_that_a_statement_affected_are_no_figure_to_go_by => Case::of(r#"
        let done = sql("stock", "DELETE FROM parts WHERE state = 'new'");
        log(`${done.rows} rows`);
        if done.rows > 1 { maintenance("shop", "on"); }
    "#)
    .plan(&["assumed sql stock", "assumed log"])
    .open("depends on `‹sql:stock.rows› > 1`");

    more_rows_than_expected_are_given_back => Case::of(r#"
        step "Delete" {
            sql("stock", "UPDATE parts SET state = 'gone' WHERE id = 3", #{ expect_rows: 1 });
        } rollback {
            sql("stock", "UPDATE parts SET state = 'old' WHERE id = 3");
        }
        sql("stock", "DELETE FROM parts", #{ expect_rows: "..=2" });
    "#)
    .plan(&["assumed sql stock", "assumed sql stock"])
    .leaves_behind(1)
    .row_left("stock", "SELECT count(*) || state FROM parts WHERE id = 3", "1old");

    a_statement_that_cannot_work_is_foreseen_to_fail => Case::of(r#"
        maintenance("shop", "on");
        sql("stock", "UPDATE partz SET state = 'new'");
    "#)
    .independent(r#"independent = [["shop", "stock"]]"#)
    .plan(&["predicted maintenance shop", "predicted sql stock: sql-failed"])
    .fails("sql-failed")
    .file_left("closed", "on");

    a_migration_is_tried_beforehand => Case::of(r#"
        let done = migrate("stock", #{ tables: ["items"] });
        sql("stock", "INSERT INTO items (name, amount) VALUES ('bolt', 3)", #{ expect_rows: 1 });
        log(`from ${done.from} to ${done.to}`);
    "#)
    .plan(&["predicted migrate stock", "assumed sql stock", "assumed log"])
    .row_left("stock", "SELECT name || amount FROM items", "bolt3");

    a_migration_is_taken_back_by_its_step => Case::of(r#"
        step "Migrate" { migrate("stock"); } rollback { migrate("stock", #{ down: true, to: "none" }); }
    "#)
    .file(
        "migrations/0001_items.sql",
        "-- migrate:up\nCREATE TABLE items (id INTEGER PRIMARY KEY);\n-- migrate:down\nDROP TABLE items;",
    )
    .file(
        "migrations/0002_amount.sql",
        "-- migrate:up\nALTER TABLE items ADD COLUMN amount INTEGER;\n-- migrate:down\nALTER TABLE items DROP COLUMN amount;",
    )
    .plan(&["predicted migrate stock"])
    .then_rolled_back()
    .row_left("stock", "SELECT count(*) FROM sqlite_schema WHERE name = 'items'", "0");

    a_migration_that_would_fail_half_way_is_foreseen_to => Case::of(r#"
        migrate("stock");
    "#)
    .file("migrations/0003_bad.sql", "INSERT INTO items (name) VALUES (NULL);")
    .plan(&["predicted migrate stock: migration-failed"])
    .fails("migration-failed")
    .row_left("stock", "SELECT group_concat(version) FROM _lifeboat_migrations", "0001,0002");

    a_database_that_is_not_there_cannot_be_backed_up => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        backup("primary");
    "#)
    .independent(r#"independent = [["shop", "primary"]]"#)
    .given(|world| world.remove("primary.db"))
    .plan(&["predicted maintenance shop", "predicted backup primary: database-missing", "assumed maintenance shop"])
    .fails("database-missing")
    .file_left("closed", "off");
}
