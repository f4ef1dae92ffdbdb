//! Signatures by SSH keys, made and checked by OpenSSH's own `ssh-keygen`: keys in agents and on tokens work, and who may sign is a
//! file in the format that git uses as well (`ALLOWED SIGNERS` in `man ssh-keygen`).

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;

/// The program.
const KEYGEN: &str = "ssh-keygen";

/// Who has signed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// As the file of signers calls them.
    pub principal: String,
    /// Their key: `SHA256:…`.
    pub key: String,
}

/// Signs a text for one purpose. `key`: the private key, or the public one of a key in an agent. A passphrase is asked for at the
/// terminal.
pub fn ssh_sign(text: &str, purpose: &str, key: &Path) -> Result<String, String> {
    let mut command = Command::new(KEYGEN);
    command.args(["-Y", "sign", "-q", "-n", purpose, "-f"]).arg(key);
    let output = fed(command, text)?;
    if !output.status.success() {
        return Err(format!("cannot sign with {}: {}", key.display(), said(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{KEYGEN} did not write a signature"))
}

/// Who signed a text for one purpose, if that is one of those in the file `signers`, at the time `at`. `scratch`: a directory for a
/// file of a moment.
pub fn ssh_signer(
    text: &str,
    purpose: &str,
    signature: &str,
    (signers, at): (&Path, Timestamp),
    scratch: &Path,
) -> Result<Signer, String> {
    let file = Scratch::with(scratch, signature)
        .map_err(|error| format!("cannot write into {}: {error}", scratch.display()))?;
    let at = format!("-Overify-time={}Z", at.strftime("%Y%m%d%H%M%S"));
    let mut find = Command::new(KEYGEN);
    find.args(["-Y", "find-principals", "-f"]).arg(signers).arg("-s").arg(&file.0).arg(&at);
    let found = fed(find, "")?;
    let principals = String::from_utf8_lossy(&found.stdout).into_owned();
    let Some(principal) = principals.lines().map(str::trim).find(|line| found.status.success() && !line.is_empty())
    else {
        return Err(format!("whoever signed it is not in {}: {}", signers.display(), said(&found.stderr)));
    };
    let mut verify = Command::new(KEYGEN);
    verify.args(["-Y", "verify", "-n", purpose, "-I", principal, "-f"]).arg(signers).arg("-s").arg(&file.0).arg(&at);
    let verified = fed(verify, text)?;
    let told = String::from_utf8_lossy(&verified.stdout).into_owned();
    let key = told.split_whitespace().find(|word| word.starts_with("SHA256:"));
    match key {
        Some(key) if verified.status.success() => Ok(Signer { principal: principal.to_owned(), key: key.to_owned() }),
        _ => Err(format!(
            "the signature of {principal} does not fit: {}{}",
            said(&verified.stdout),
            said(&verified.stderr)
        )),
    }
}

/// Runs `command` with `text` as its input.
fn fed(mut command: Command, text: &str) -> Result<Output, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no {KEYGEN}: install OpenSSH's client, 8.2 or newer"),
        _ => format!("{KEYGEN} cannot be started: {error}"),
    })?;
    if let Some(mut input) = child.stdin.take() {
        // Whoever refuses to read says why.
        let _ = input.write_all(text.as_bytes());
    }
    child.wait_with_output().map_err(|error| format!("{KEYGEN}: {error}"))
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().replace('\n', "; ")
}

/// A file that goes with its value.
struct Scratch(PathBuf);

impl Scratch {
    fn with(directory: &Path, text: &str) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let path = directory.join(format!("signature-{}-{:08x}", std::process::id(), super::random_u32()));
        std::fs::write(&path, text)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of this person, and the line that lets them sign.
    fn key(directory: &Path, name: &str) -> (PathBuf, String) {
        let path = directory.join(name);
        let made = Command::new(KEYGEN).args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&path).status();
        assert!(made.expect("it starts").success());
        let public = std::fs::read_to_string(path.with_extension("pub")).expect("a public key");
        let line = format!("{name}@example.org namespaces=\"test\" {public}");
        (path, line)
    }

    #[test]
    fn a_signature_names_who_signed_and_fits_one_text_and_one_purpose() {
        let dir = tempfile::tempdir().expect("a directory");
        let (anna, line) = key(dir.path(), "anna");
        let (eve, _) = key(dir.path(), "eve");
        let signers = dir.path().join("signers");
        std::fs::write(&signers, line).expect("written");
        let signature = ssh_sign("the plan", "test", &anna).expect("signed");
        let now = Timestamp::now();
        let check = |text: &str, purpose: &str, signature: &str| {
            ssh_signer(text, purpose, signature, (&signers, now), dir.path())
        };
        let signer = check("the plan", "test", &signature).expect("it fits");
        assert_eq!(signer.principal, "anna@example.org");
        assert!(signer.key.starts_with("SHA256:"), "{signer:?}");
        assert!(check("another plan", "test", &signature).expect_err("another text").contains("does not fit"));
        check("the plan", "other", &signature).expect_err("another purpose");
        let foreign = ssh_sign("the plan", "test", &eve).expect("signed");
        assert!(check("the plan", "test", &foreign).expect_err("a stranger").contains("is not in"));
        check("the plan", "test", "no signature").expect_err("no signature");
        let left = std::fs::read_dir(dir.path()).expect("listed").flatten();
        assert!(!left.map(|e| e.file_name()).any(|name| name.to_string_lossy().starts_with("signature-")));
        assert!(ssh_sign("x", "test", &dir.path().join("none")).expect_err("no key").contains("cannot sign with"));
    }
}
