//! The source files of the package, and which parts of them are tests.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use crate::lexer::{closing, code_of, words};

/// One source file.
pub(crate) struct Source {
    /// Its path from the package's directory.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Its code, without comments and texts.
    pub(crate) code: String,
    /// Its code without the modules that are only compiled for tests; empty for a file that is such a module.
    pub(crate) shipped: String,
}

/// A place at which a rule is broken.
pub(crate) struct Finding {
    path: String,
    line: usize,
    why: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.why)
    }
}

impl Source {
    /// A source whose modules are all shipped.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = code_of(text);
        let shipped = if path.starts_with("src/") { without_tests(&code) } else { String::new() };
        Self { path: path.to_owned(), text: text.to_owned(), code, shipped }
    }

    /// The part of `src` it belongs to: a directory there, or a file.
    pub(crate) fn room(&self) -> Option<&str> {
        let path = self.path.strip_prefix("src/")?;
        Some(path.split_once('/').map_or_else(|| path.trim_end_matches(".rs"), |(room, _)| room))
    }

    /// Something is wrong at `at`, in bytes.
    pub(crate) fn finding(&self, at: usize, why: impl Into<String>) -> Finding {
        let line = self.code[..at].matches('\n').count() + 1;
        Finding { path: self.path.clone(), line, why: why.into() }
    }
}

/// Every Rust file of the package.
pub(crate) fn load(package: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for directory in ["src", "tests", "benches", "examples"] {
        walk(package, directory, &mut sources);
    }
    mark_tests(&mut sources);
    sources
}

fn walk(package: &Path, directory: &str, sources: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(package.join(directory)) else { return };
    for entry in entries {
        let entry = entry.expect("the directory can be read");
        let path = format!("{directory}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(package, &path, sources);
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(entry.path()).expect("the file is text");
            sources.push(Source::new(&path, &text));
        }
    }
}

/// Nothing is shipped of files that are declared as `#[cfg(test)] mod name;`, and of those below them.
pub(crate) fn mark_tests(sources: &mut [Source]) {
    let modules: BTreeSet<String> = sources.iter().flat_map(test_modules).collect();
    for source in sources {
        let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        if modules.iter().any(|module| stem == module || stem.starts_with(&format!("{module}/"))) {
            source.shipped.clear();
        }
    }
}

/// The paths, without `.rs`, of the modules in files of their own that `source` declares for tests.
fn test_modules(source: &Source) -> Vec<String> {
    let stem = source.path.trim_end_matches(".rs");
    let folder = match stem.rsplit_once('/') {
        Some((folder, "mod" | "lib" | "main")) => folder,
        _ => stem,
    };
    let declared = attributed(&source.code).into_iter().filter_map(|(_, item)| {
        let end = source.code[item..].find([';', '{']).filter(|end| source.code[item + end..].starts_with(';'))?;
        // Before `mod` there may be a visibility, or another attribute.
        let name = source.code[item..item + end].rsplit_once("mod ").map(|(_, name)| name.trim())?;
        Some(format!("{folder}/{name}"))
    });
    declared.collect()
}

/// `code` with the items that are only compiled for tests blanked.
fn without_tests(code: &str) -> String {
    let mut shipped = code.to_owned();
    for (start, item) in attributed(code) {
        let end = match code[item..].find(['{', ';']) {
            Some(at) if code[item + at..].starts_with('{') => closing(code, item + at),
            Some(at) => item + at,
            None => code.len(),
        };
        let blank = code[start..end].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' });
        shipped.replace_range(start..end, &blank.collect::<String>());
    }
    shipped
}

/// Where attributes `#[cfg(…test…)]` start, and where what they stand before does.
fn attributed(code: &str) -> Vec<(usize, usize)> {
    let attribute = |(start, _): (usize, &str)| {
        let end = closing(code, start + 1);
        let condition = &code[start..end];
        let for_tests = words(condition, "test").next().is_some() && words(condition, "not").next().is_none();
        for_tests.then_some((start, (end + 1).min(code.len())))
    };
    code.match_indices("#[cfg(").filter_map(attribute).collect()
}

#[test]
fn tests_are_not_shipped() {
    let text = "mod a;\n#[cfg(test)]\npub(in crate::x) mod b;\nfn f() {}\n#[cfg(test)]\nmod tests {\n fn g() { if x {} }\n}\nfn h() {}";
    let mut sources = vec![
        Source::new("src/x/mod.rs", text),
        Source::new("src/x/a.rs", "fn a() {}"),
        Source::new("src/x/b.rs", "fn b() {}"),
        Source::new("src/x/b/deep.rs", "fn deep() {}"),
        Source::new("tests/x.rs", "fn t() {}"),
    ];
    mark_tests(&mut sources);
    let shipped: Vec<_> = sources.iter().map(|s| words(&s.shipped, "fn").count()).collect();
    assert_eq!(shipped, [2, 1, 0, 0, 0]);
    assert!(sources[0].shipped.contains("fn h()") && !sources[0].shipped.contains("fn g()"));
    assert_eq!(sources[0].room(), Some("x"));
    assert_eq!(sources[0].finding(text.len(), "why").to_string(), "src/x/mod.rs:9: why");
}
