//! `maintenance-window` and `read-only-mode`: closing the service, wholly or for writes.

use crate::shop::Shop;

const WINDOW: [&str; 2] = ["why=a new disk", "drain=10ms"];

#[test]
fn a_window_closes_the_service_has_the_change_made_and_opens_it() {
    let shop = Shop::open();
    let said = shop.run("maintenance-window", &WINDOW);
    assert_eq!(said.code, Some(0), "{}", said.text);
    assert_eq!(shop.told(), ["Maintenance begins: a new disk", "Maintenance is over: a new disk"]);
    assert_eq!(shop.project.read("maintenance"), "off\n");
    assert!(shop.project.web.requests() >= 2, "it was seen to be well, before and after");
}

#[test]
fn a_window_that_is_broken_off_leaves_the_service_open_and_says_so() {
    let shop = Shop::open();
    let said = shop.run_refused("maintenance-window", &WINDOW);
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert_eq!(shop.project.read("maintenance"), "off\n");
    let last = shop.told().pop().expect("people were told");
    assert_eq!(last, "Maintenance was broken off, and the service is open again: a new disk");
}

#[test]
fn no_window_is_opened_on_an_incident_or_on_another_window() {
    let shop = Shop::open();
    shop.project.write("maintenance", "on\n");
    let said = shop.run("maintenance-window", &WINDOW);
    assert!(said.code == Some(1) && said.text.contains("in maintenance already"), "{}", said.text);
    let shop = Shop::open();
    shop.project.web.fall_ill();
    let said = shop.run("maintenance-window", &WINDOW);
    assert!(said.code == Some(1) && said.text.contains("an incident, not a maintenance window"), "{}", said.text);
    assert!(shop.told().is_empty());
}

#[test]
fn the_application_becomes_read_only_and_writes_again() {
    let shop = Shop::open();
    let plan = shop.plan("read-only-mode", &["why=a full disk"]);
    assert!(plan.text.contains("~ configure app: READ_ONLY \"false\" → \"true\""), "{}", plan.text);
    let said = shop.run("read-only-mode", &["why=a full disk"]);
    assert_eq!(said.code, Some(0), "{}", said.text);
    let running = shop.project.read("running.env");
    assert!(running.starts_with("# The shop.\nREAD_ONLY=true\n"), "{running}");
    let said = shop.run("read-only-mode", &["why=there is room", "on=false"]);
    assert_eq!(said.code, Some(0), "{}", said.text);
    assert!(shop.project.read("running.env").contains("READ_ONLY=false\n"));
    let told = ["The application is read-only: a full disk", "The application takes writes again: there is room"];
    assert_eq!(shop.told(), told);
}

#[test]
fn an_application_that_does_not_take_the_switch_gets_its_configuration_back() {
    let shop = Shop::open();
    let before = shop.project.read("app.env");
    shop.project.write("refuses", "READ_ONLY=true");
    let said = shop.run("read-only-mode", &["why=a full disk"]);
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert!(said.text.contains("its reload failed"), "{}", said.text);
    assert_eq!((shop.project.read("app.env"), shop.project.read("running.env")), (before.clone(), before));
    assert!(shop.told().is_empty());
}
