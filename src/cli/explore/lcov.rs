//! What of its source a runbook's paths walk, as a tracefile of `lcov`: any tool that shows coverage reads it.

use std::fmt::Write as _;

use crate::model::{Exploration, WalkedFile};
use crate::script::STDLIB;

/// The tracefile. What ships with Lifeboat lies in no file, and is left out.
pub(super) fn lcov(exploration: &Exploration) -> String {
    let mut text = String::new();
    let embedded = |file: &&WalkedFile| STDLIB.iter().any(|(name, _)| *name == &*file.name);
    for file in exploration.files.iter().filter(|file| !embedded(file)) {
        record(&mut text, &exploration.runbook, file);
    }
    text
}

fn record(text: &mut String, runbook: &str, file: &WalkedFile) {
    let _ = writeln!(text, "TN:{}\nSF:{}", test_name(runbook), file.name);
    for function in &file.functions {
        let _ = writeln!(text, "FN:{},{}", function.line, function.name);
    }
    for function in &file.functions {
        let _ = writeln!(text, "FNDA:{},{}", function.paths, function.name);
    }
    let walked = |count: &&u64| **count > 0;
    let called = file.functions.iter().filter(|function| function.paths > 0).count();
    let _ = writeln!(text, "FNF:{}\nFNH:{called}", file.functions.len());
    let (mut found, mut hit) = (0, 0);
    for (block, fork) in file.forks.iter().enumerate() {
        for (branch, (_, paths)) in fork.ways.iter().enumerate() {
            // `-` says that nobody came here at all.
            let taken = if fork.paths == 0 { "-".to_owned() } else { paths.to_string() };
            let _ = writeln!(text, "BRDA:{},{block},{branch},{taken}", fork.site.line);
            found += 1;
            hit += usize::from(*paths > 0);
        }
    }
    let _ = writeln!(text, "BRF:{found}\nBRH:{hit}");
    for (line, paths) in &file.lines {
        let _ = writeln!(text, "DA:{line},{paths}");
    }
    let lines = file.lines.len();
    let _ = writeln!(text, "LF:{lines}\nLH:{}\nend_of_record", file.lines.values().filter(walked).count());
}

/// The name of a test may have no other characters.
fn test_name(runbook: &str) -> String {
    runbook.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
