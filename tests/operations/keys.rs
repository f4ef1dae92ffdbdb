//! `rotate-secret`: the key in its file, and in the application's configuration.

use crate::shop::{KEY, Shop};

const SHORT: [&str; 2] = ["watch=50ms", "every=10ms"];

#[test]
fn the_application_gets_a_new_key_that_nobody_sees() {
    let shop = Shop::open();
    let said = shop.run("rotate-secret", &SHORT);
    assert_eq!(said.code, Some(0), "{}", said.text);
    let key = shop.project.read("api-key").trim_end().to_owned();
    assert!(key.len() == 40 && key != KEY);
    let line = format!("API_KEY={key}  # of the bank\n");
    assert!(shop.project.read("running.env").ends_with(&line), "{}", shop.project.read("running.env"));
    let shown = shop.lifeboat(&["show", "latest"]);
    let everything = [said.text, shown.text, shop.told().concat()].concat();
    for secret in [KEY, &key] {
        assert!(!everything.contains(secret), "{everything}");
        let journal = std::fs::read(shop.project.path(".lifeboat/journal.db")).expect("a journal");
        let log = std::fs::read(shop.project.path(".lifeboat/journal.db-wal")).unwrap_or_default();
        let kept = [journal, log].concat();
        assert!(!kept.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "it is in the journal");
    }
}

#[test]
fn a_key_with_which_the_application_does_not_work_is_taken_back_everywhere() {
    let shop = Shop::open();
    let before = shop.project.read("app.env");
    // It takes no other key than the old one, and falls ill with it.
    shop.project.write("refuses", "API_KEY=[^f]");
    let said = shop.run("rotate-secret", &SHORT);
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert_eq!(shop.project.read("api-key"), format!("{KEY}\n"));
    assert_eq!((shop.project.read("app.env"), shop.project.read("running.env")), (before.clone(), before));
    assert!(shop.told().is_empty());
    // What an earlier run did stays: only this one is taken back.
    std::fs::remove_file(shop.project.path("refuses")).expect("it takes any key again");
    assert_eq!(shop.run("rotate-secret", &SHORT).code, Some(0));
    let second = shop.project.read("api-key");
    shop.project.write("refuses", "API_KEY=");
    assert_eq!(shop.run("rotate-secret", &SHORT).code, Some(6), "the old key is refused on the way back, too");
    assert_eq!(shop.project.read("api-key"), second);
}
