//! The runbooks of everyday operations, by the real program, on a real service, database, documents and secrets: checked, planned, run, and
//! run where something fails.
#![expect(clippy::disallowed_methods, reason = "tests set up and read the files that a runbook meets")]

#[path = "../harness/project.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod project;

mod certificate;
mod closing;
mod corruption;
mod keys;
mod shop;
mod watching;

use shop::Shop;

const RUNBOOKS: [(&str, &[&str]); 6] = [
    ("maintenance-window", &["why=a new disk"]),
    ("rotate-secret", &[]),
    ("health-check", &[]),
    ("certificate-check", &[]),
    ("data-corruption", &["table=customers"]),
    ("read-only-mode", &["why=a full disk"]),
];

#[test]
fn they_are_sound() {
    let shop = Shop::open();
    let paths: Vec<String> = RUNBOOKS.iter().map(|(name, _)| format!("runbooks/{name}.rhai")).collect();
    let arguments: Vec<&str> = ["check"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let checked = shop.lifeboat(&arguments);
    assert!(checked.text.contains("6 runbooks: 0 errors, 0 warnings"), "{}", checked.text);
}

#[test]
fn their_plans_come_to_an_end_and_change_nothing() {
    let shop = certificate::shop_until(2090);
    shop.backed_up();
    shop.lose_customers();
    let before = shop.files();
    for (name, sets) in RUNBOOKS {
        // How full the disk of this machine is, is not ours to say.
        let pinned: &[&str] = if name == "health-check" { &["--assume", "probe(here)=pass"] } else { &[] };
        let plan = shop.plan_with(name, sets, pinned);
        assert_eq!(plan.code, Some(0), "{name}: {}", plan.text);
        assert!(plan.text.contains("completes: "), "{name}: {}", plan.text);
        assert!(!plan.text.contains(shop::KEY), "{name} shows the key");
    }
    assert_eq!(shop.files(), before);
}
