//! A program that changes something, keeps a ledger of its own, and can be asked what it did.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::Project;

/// Its table of the configuration, in the environment `here`.
pub(crate) const TABLE: &str = r#"
[environments.here.tools.turn]
driver = "command"
program = ["./turn"]
impact = "change"
check = ["./turned"]
"#;

/// Adds the program. Each line of `ledger` (from the project's directory) is what was turned, and the key; it is written in the midst
/// of two pauses of `pause_s` seconds.
pub(crate) fn with_turn(project: Project, ledger: &Path, pause_s: &str) -> Project {
    let ledger = ledger.display();
    let add = format!("echo \"$1 $LIFEBOAT_IDEMPOTENCY_KEY\" >> \"{ledger}\"");
    let turn = format!("#!/bin/sh\nsleep {pause_s}\n{add}\nsleep {pause_s}\n");
    let turned = format!("#!/bin/sh\ntest -e \"{ledger}\" && grep -q \" $LIFEBOAT_IDEMPOTENCY_KEY$\" \"{ledger}\"\n");
    let project = project.file("turn", turn).file("turned", turned);
    for program in ["turn", "turned"] {
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(project.path(program), executable).expect("is executable");
    }
    project
}
