//! The reference in `docs/` says what the code says.
#![expect(clippy::disallowed_methods, reason = "this test compares files, and writes them when it is asked to")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lifeboat::primitives::Registry;
use lifeboat::runtime::reference;

const UPDATE: &str = "UPDATE_REFERENCE=1 cargo test --test reference";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/reference")
}

/// The pages as they are committed, by path.
fn committed(directory: &Path, prefix: &str) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let entry = entry.expect("the directory can be read");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            pages.extend(committed(&entry.path(), &format!("{name}/")));
        } else {
            pages.insert(name, std::fs::read_to_string(entry.path()).expect("a page is text"));
        }
    }
    pages
}

#[test]
fn the_committed_pages_are_those_of_the_code() {
    let pages = reference(&Registry::standard());
    if std::env::var("UPDATE_REFERENCE").is_ok() {
        let _ = std::fs::remove_dir_all(directory());
        for (path, text) in &pages {
            let path = directory().join(path);
            std::fs::create_dir_all(path.parent().expect("it lies in the reference")).expect("makes the directory");
            std::fs::write(path, text).expect("writes the page");
        }
    }
    let found = committed(&directory(), "");
    let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&pages), "refresh the reference: {UPDATE}");
    for (path, text) in &pages {
        assert!(found[path] == *text, "docs/src/reference/{path} is not what the code says; refresh it: {UPDATE}");
    }
}

#[test]
fn every_page_says_what_a_caller_needs() {
    let registry = Registry::standard();
    let pages = reference(&registry);
    for signature in registry.signatures() {
        let name = signature.name;
        assert!(pages["index.md"].contains(&format!("[`{name}`](")), "{name} is missing in the index");
        let page = if signature.is_language { &pages["language.md"] } else { &pages[&format!("primitives/{name}.md")] };
        assert!(page.contains(signature.example.trim()), "{name} has no example");
        for arg in &signature.args {
            assert!(page.contains(&format!("| `{}` | `", arg.name)), "`{}` of {name} is missing", arg.name);
            assert!(!arg.doc.is_empty(), "`{}` of {name} says nothing of itself", arg.name);
        }
    }
    let probe = &pages["primitives/probe.md"];
    assert!(probe.contains(
        "| service | [`http`](../drivers.md#service-http), [`prometheus`](../drivers.md#service-prometheus), "
    ));
    assert!(
        probe.contains("| `timeout` | `duration` | – |") && probe.contains("| `attempts` | `int` | `1` |"),
        "{probe}"
    );
    assert!(pages["drivers.md"].contains("| `url` | `string` | required |"));
    assert!(pages["primitives/inject.md"].contains("Refused outside environments that are marked"));
}
