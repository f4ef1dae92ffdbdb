//! `data-corruption`: rows that point nowhere, and one table from a backup.

use crate::shop::Shop;

const CUSTOMERS: [&str; 1] = ["table=customers"];
const ORPHANS: &str = "SELECT count(*) FROM pragma_foreign_key_check";

#[test]
fn the_table_comes_back_and_what_was_written_elsewhere_stays() {
    let shop = Shop::open();
    shop.backed_up();
    shop.lose_customers();
    crate::project::sql(&shop.project.path("primary.db"), "INSERT INTO orders VALUES (4, 1)");
    let plan = shop.plan("data-corruption", &CUSTOMERS);
    for line in
        ["2 rows of orders point to rows of customers", "customers: 1 rows now, 3 then", "if it is rolled back:"]
    {
        assert!(plan.text.contains(line), "{line}: {}", plan.text);
    }
    assert_eq!(shop.ask(ORPHANS), 2);
    let said = shop.run("data-corruption", &CUSTOMERS);
    assert_eq!(said.code, Some(0), "{}", said.text);
    assert_eq!(
        (shop.ask(ORPHANS), shop.ask("SELECT count(*) FROM customers"), shop.ask("SELECT count(*) FROM orders")),
        (0, 3, 4)
    );
    assert!(shop.told()[1].starts_with("Table customers is back as it was on "), "{:?}", shop.told());
}

#[test]
fn a_backup_that_does_not_mend_it_is_taken_back() {
    let shop = Shop::open();
    // In the backup, too, customer 3 is missing.
    crate::project::sql(
        &shop.project.path("primary.db"),
        "PRAGMA foreign_keys = OFF; DELETE FROM customers WHERE id = 3",
    );
    shop.backed_up();
    shop.lose_customers();
    let said = shop.run("data-corruption", &CUSTOMERS);
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert!(said.text.contains("rows still point nowhere"), "{}", said.text);
    assert_eq!((shop.ask(ORPHANS), shop.ask("SELECT count(*) FROM customers")), (2, 1), "as it was found");
    assert_eq!(shop.project.read("maintenance"), "off\n");
}

#[test]
fn where_no_row_points_nowhere_nothing_is_done() {
    let shop = Shop::open();
    shop.backed_up();
    let before = shop.files();
    let said = shop.run("data-corruption", &CUSTOMERS);
    assert!(said.code == Some(1) && said.text.contains("this runbook is not needed"), "{}", said.text);
    assert_eq!(shop.files(), before);
}
