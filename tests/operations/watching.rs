//! `health-check`: everything that the service needs.

use crate::shop::Shop;

#[test]
fn all_is_well_and_nobody_is_told() {
    let shop = Shop::open();
    shop.backed_up();
    let said = shop.run("health-check", &[]);
    // How full the disk of this machine is, is not ours to say.
    if said.code == Some(0) && said.text.contains("all is well") {
        assert!(shop.told().is_empty());
    } else {
        let told = shop.told().concat();
        assert!(told.contains("- disk: ") || told.contains("- memory: "), "{}", said.text);
        for other in ["service", "database", "log", "backups"] {
            assert!(!told.contains(&format!("- {other}: ")), "{told}");
        }
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_the_run_fails() {
    let shop = Shop::open();
    shop.project.web.fall_ill();
    let now = jiff::Timestamp::now();
    shop.project.write("app.log", &format!("{now} ERROR no money\n").repeat(12));
    let said = shop.run("health-check", &["errors=11"]);
    assert_eq!(said.code, Some(1), "{}", said.text);
    let told = shop.told();
    assert_eq!(told.len(), 1, "one message, not one for each");
    for line in [
        "- service: 503 in ",
        "- log: 12 of 12 lines within 15m match: expected at most 11",
        "- backups: no verified backup of primary qualifies in backups",
    ] {
        assert!(told[0].contains(line), "{line}: {}", told[0]);
    }
    assert!(!told[0].contains("- database: "), "{}", told[0]);
}
