//! The documentation is whole: links lead somewhere, every page is in the book, and what lists something lists all of it.
#![expect(clippy::disallowed_methods, reason = "this test reads the documentation and the sources themselves")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lifeboat::primitives::Registry;
use lifeboat::script::{Script, TestFile};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(package().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files below `directory` whose names end with `ending`, by their paths from the package. Links are followed.
fn files(directory: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(package().join(directory)).expect("the directory can be read") {
        let path = format!("{directory}/{}", entry.expect("an entry").file_name().to_string_lossy());
        if package().join(&path).is_dir() {
            found.extend(files(&path, ending));
        } else if path.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What stands between `open` and `close`, every time.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close).map(|(inside, _)| inside))
}

/// The headings of a page as a link names them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|h| h.to_lowercase().chars().filter(|c| kept(*c)).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut pages = files("docs", ".md");
    pages.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned));
    let mut broken = Vec::new();
    for page in pages {
        let text = read(&page);
        let links = between(&text, "](", ")").filter(|link| !link.contains("://"));
        for link in links {
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let own = package().join(&page);
            let target = if path.is_empty() { own.clone() } else { own.parent().unwrap_or(&own).join(path) };
            let whole = match anchor {
                None => target.exists(),
                Some(anchor) => std::fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor)),
            };
            if !whole {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_is_in_the_book() {
    let summary = read("docs/src/SUMMARY.md");
    let listed: BTreeSet<PathBuf> = between(&summary, "](", ")").map(|path| Path::new("docs/src").join(path)).collect();
    let pages = files("docs/src", ".md").into_iter().map(PathBuf::from);
    let pages: BTreeSet<PathBuf> = pages.filter(|page| !page.ends_with("SUMMARY.md")).collect();
    assert_eq!(listed, pages);
}

#[test]
fn every_fault_of_a_primitive_is_explained() {
    let faults = read("docs/faults.md");
    let explained: BTreeSet<&str> = between(&faults, "\n### `", "`").collect();
    let mut thrown = BTreeSet::new();
    for path in files("src/primitives", ".rs") {
        let text = read(&path);
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
        let codes = between(shipped, "Fault::new(", ",").chain(between(shipped, "Case::fails(", ")"));
        thrown.extend(codes.filter_map(|arguments| arguments.rsplit('"').nth(1)).map(str::to_owned));
        if path.ends_with("store/faults.rs") {
            thrown.extend(between(shipped, "&str = \"", "\"").map(str::to_owned));
        }
    }
    assert!(thrown.len() > 20, "the codes were not found: {thrown:?}");
    let missing: Vec<_> = thrown.iter().filter(|code| !explained.contains(code.as_str())).collect();
    assert!(missing.is_empty(), "docs/faults.md does not explain {missing:?}");
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = read("Cargo.toml");
    let sections =
        manifest.split("\n[").filter(|s| s.starts_with("dependencies]") || s.starts_with("dev-dependencies]"));
    let crates = sections.flat_map(|section| section.lines().filter_map(|line| line.split_once(" = ")));
    let crates: BTreeSet<&str> = crates.map(|(name, _)| name).collect();
    let record = read("docs/decisions/0001-dependencies.md");
    let reasons: BTreeSet<&str> = between(&record, "\n| `", "`").collect();
    assert_eq!(reasons, crates);
}

#[cfg(feature = "cli")]
#[test]
fn every_exit_code_is_explained() {
    let source = read("src/cli/exit.rs");
    let codes: BTreeSet<&str> = between(&source, " = ", ",").filter(|code| code.parse::<u8>().is_ok()).collect();
    assert!(codes.len() > 10, "the codes were not found: {codes:?}");
    let page = read("docs/exit-codes.md");
    let explained: BTreeSet<&str> = between(&page, "\n| ", " |").filter(|code| code.parse::<u8>().is_ok()).collect();
    // 7 is kept for runs that wait for a person.
    assert_eq!(explained, codes.into_iter().chain(["7"]).collect());
}

#[test]
fn every_runbook_that_is_shown_compiles() {
    let registry = Arc::new(Registry::standard());
    let mut shown = 0;
    for page in files("docs/src", ".md").into_iter().filter(|page| !page.contains("/primitives/")) {
        let text = read(&page);
        // Short examples of single calls may name variables that the text around them explains.
        let text = text.split("\n# Calls of the language").next().unwrap_or_default();
        for (n, block) in between(text, "```rhai\n", "```").enumerate() {
            let lines: Vec<_> = block.lines().map(|line| line.strip_prefix("   ").unwrap_or(line)).collect();
            let runbook = lines.join("\n");
            let is_test = runbook.lines().any(|line| line.trim_start().starts_with("test "));
            let compiled = if is_test {
                let found = TestFile::compile(&page, &runbook, registry.clone()).map(|file| file.check());
                found.map_err(|error| error.to_string()).map(|found| assert_eq!(found.len(), 0, "{page}: {found:?}"))
            } else {
                Script::compile(&page, &runbook).map(drop).map_err(|error| error.to_string())
            };
            if let Err(error) = compiled {
                panic!("{page}, block {}: {error}\n{runbook}", n + 1);
            }
            shown += 1;
        }
    }
    assert!(shown >= 5, "only {shown} runbooks were found");
}
