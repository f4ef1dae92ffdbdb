//! Gets the value of a secret from where the configuration says it is.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::model::{Fault, SecretSource};
use crate::system::{CommandLine, Ended, Look};

/// The largest secret, in bytes.
const LARGEST: u64 = 64 << 10;
/// How long a program may take to write one.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Why there is no value, and what to do.
pub(super) struct Unavailable {
    pub(super) why: String,
    pub(super) hint: String,
}

impl Unavailable {
    fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: hint.into() }
    }

    /// As drivers report it.
    pub(super) fn of(self, name: &str) -> Fault {
        Fault::new("secret-unavailable", format!("secret {name}: {}", self.why)).hint(self.hint)
    }
}

type Fetched = Result<Zeroizing<String>, Unavailable>;

/// Whether getting it starts no program and asks nobody: it can be got before anybody needs it.
pub(super) fn is_at_hand(source: &SecretSource) -> bool {
    matches!(source, SecretSource::Env(_) | SecretSource::File(_))
}

pub(super) async fn fetch(source: &SecretSource, look: &Look, root: &Path) -> Fetched {
    match source {
        SecretSource::Env(_) | SecretSource::File(_) => at_hand(source),
        SecretSource::Command(words) => command(words, look, root).await,
        SecretSource::Age { file, identity, entry } => age(file.clone(), identity.clone(), entry.clone()).await,
    }
}

/// The value of a source that [`is_at_hand`].
pub(super) fn at_hand(source: &SecretSource) -> Fetched {
    match source {
        SecretSource::Env(name) => match std::env::var(name) {
            Ok(value) => Ok(Zeroizing::new(value)),
            Err(std::env::VarError::NotPresent) => {
                Err(Unavailable::new(format!("the variable {name} is not set"), format!("set {name} and try again")))
            }
            Err(_) => Err(Unavailable::new(format!("the variable {name} is not text"), "give it as UTF-8")),
        },
        SecretSource::File(path) => private_file(path).map(one_line_break_less),
        _ => Err(Unavailable::new("it has to be asked for", "ask for it")),
    }
}

/// The content of a file that nobody but its owner may read.
fn private_file(path: &Path) -> Fetched {
    let shown = path.display();
    let failed = |error: std::io::Error| {
        let why = error.to_string().to_lowercase();
        let why = why.split(" (os error").next().unwrap_or_default();
        Unavailable::new(format!("{shown}: {why}"), "make the file, with the secret and nothing else in it")
    };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    // Of the file that was opened: another may bear its name a moment later.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(Unavailable::new(format!("{shown} is no file"), "name the file that holds the secret"));
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        let why = format!("{shown} can be read by others than its owner (mode {mode:04o})");
        return Err(Unavailable::new(
            why,
            format!("chmod 600 {shown}, and change the secret if anybody may have read it"),
        ));
    }
    if ![rustix::process::geteuid().as_raw(), 0].contains(&metadata.uid()) {
        let why = format!("{shown} belongs to another user (number {})", metadata.uid());
        return Err(Unavailable::new(why, "whoever owns it decides what the secret is: make it yours"));
    }
    if metadata.len() > LARGEST {
        return Err(Unavailable::new(format!("{shown} is larger than 64 KiB"), "a secret is a line, or a key"));
    }
    let mut text = Zeroizing::new(String::new());
    file.by_ref().take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

async fn command(words: &[String], look: &Look, root: &Path) -> Fetched {
    let name = &words[0];
    let hint = || format!("run `{}` yourself to see why", words.join(" "));
    // The programs that keep secrets find their vaults, agents and tokens through the whole environment.
    let environment: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    let path = environment.get("PATH").cloned().unwrap_or_else(|| "/usr/bin:/bin".to_owned());
    let named = if name.contains('/') { root.join(name).to_string_lossy().into_owned() } else { name.clone() };
    let program = look.find_program(&named, &path);
    let program = program
        .ok_or_else(|| Unavailable::new(format!("there is no program {name}"), "install it, or correct `command`"))?;
    let command = CommandLine {
        program,
        arguments: words[1..].to_vec(),
        environment,
        input: Zeroizing::default(),
        directory: root.to_path_buf(),
        time_limit: TIME_LIMIT,
        grace: Duration::from_secs(1),
        output_limit: usize::try_from(LARGEST).unwrap_or(usize::MAX) * 2,
    };
    let end = look.run_for_a_secret(&command).await.map_err(|error| Unavailable::new(error.message, error.hint))?;
    match end.ended {
        Ended::Exited(0) => {}
        Ended::Exited(code) => return Err(Unavailable::new(format!("{name} ended with exit code {code}"), hint())),
        Ended::TimedOut => return Err(Unavailable::new(format!("{name} took longer than 20s"), hint())),
        Ended::Killed(_) | Ended::Interrupted => return Err(Unavailable::new(format!("{name} was ended"), hint())),
    }
    let text = Zeroizing::new(end.stdout.text());
    if text.len() as u64 > LARGEST || end.stdout.left_out() > 0 {
        return Err(Unavailable::new(format!("{name} wrote more than 64 KiB"), "a secret is a line, or a key"));
    }
    Ok(one_line_break_less(text))
}

/// Decrypting takes a moment of computing: it must not hold up others.
async fn age(file: PathBuf, identity: PathBuf, entry: Option<String>) -> Fetched {
    let work = tokio::task::spawn_blocking(move || {
        let text = decrypt(&file, &identity)?;
        match entry {
            None => Ok(one_line_break_less(text)),
            Some(entry) => {
                let value = text.lines().find_map(|line| line.trim_start().strip_prefix(&entry)?.strip_prefix('='));
                let missing = || {
                    let why = format!("{} has no line `{entry}=…`", file.display());
                    Unavailable::new(why, "add it, or correct `entry`")
                };
                value.map(|value| Zeroizing::new(value.trim_end_matches('\r').to_owned())).ok_or_else(missing)
            }
        }
    });
    work.await.unwrap_or_else(|_| Err(Unavailable::new("decrypting was interrupted", "try again")))
}

#[cfg(feature = "secrets-age")]
fn decrypt(file: &Path, identity: &Path) -> Fetched {
    let shown = file.display();
    let keys = private_file(identity)?;
    let bad_key = || {
        let why = format!("{} holds no identity of age", identity.display());
        Unavailable::new(why, "it must have a line AGE-SECRET-KEY-1…, as age-keygen writes it")
    };
    let keys: Vec<age::x25519::Identity> = keys.lines().filter_map(|line| line.trim().parse().ok()).collect();
    if keys.is_empty() {
        return Err(bad_key());
    }
    let encrypted = std::fs::File::open(file).map_err(|error| {
        let why = error.to_string().to_lowercase();
        Unavailable::new(format!("{shown}: {}", why.split(" (os error").next().unwrap_or_default()), "see `age`")
    })?;
    let failed = |error: age::DecryptError| {
        let why = match error {
            age::DecryptError::NoMatchingKeys => format!("{} does not open {shown}", identity.display()),
            age::DecryptError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                format!("{shown}: {}", error.to_string().to_lowercase())
            }
            _ => format!("{shown} is not encrypted with age, or was damaged"),
        };
        Unavailable::new(why, "encrypt it again for this identity: age -r RECIPIENT -o FILE")
    };
    let armored = age::armor::ArmoredReader::new(std::io::BufReader::new(encrypted));
    let decryptor = age::Decryptor::new_buffered(armored).map_err(failed)?;
    let keys = keys.iter().map(|key| key as &dyn age::Identity);
    let reader = decryptor.decrypt(keys).map_err(failed)?;
    let mut text = Zeroizing::new(String::new());
    reader.take(LARGEST * 16).read_to_string(&mut text).map_err(|error| failed(age::DecryptError::Io(error)))?;
    Ok(text)
}

#[cfg(not(feature = "secrets-age"))]
fn decrypt(file: &Path, _: &Path) -> Fetched {
    let why = format!("{}: this Lifeboat was built without `secrets-age`", file.display());
    Err(Unavailable::new(why, "build it with that feature"))
}

/// Editors and `echo` end a file with a line break that is no part of the secret.
fn one_line_break_less(mut text: Zeroizing<String>) -> Zeroizing<String> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}
