//! Which value a call asks for.

use zeroize::Zeroizing;

use crate::model::{Arg, Fault, IdempotencyKey, SecretText};
use crate::system::{Act, Look, Revealed};

use super::record::{Change, Record};
use super::{Alphabet, Args};

const LENGTH: u32 = 32;
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What a call asks for.
pub(super) enum Wanted {
    /// A value that the secret has not had.
    New(Revealed),
    /// The value of an earlier generation.
    Former(u64),
    /// The one it has, because of this.
    Same(String),
}

impl Alphabet {
    fn characters(self) -> String {
        match self {
            Alphabet::Alphanumeric => LETTERS.to_owned(),
            Alphabet::Hex => "0123456789abcdef".to_owned(),
            Alphabet::Url => format!("{LETTERS}-_"),
            Alphabet::Symbols => format!("{LETTERS}!#%&()*+,-./:;<=>?@[]^_{{|}}~"),
        }
    }

    /// For people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Alphabet::Alphanumeric => "letters and digits",
            Alphabet::Hex => "hexadecimal digits",
            Alphabet::Url => "letters, digits, `-` and `_`",
            Alphabet::Symbols => "letters, digits and symbols",
        }
    }
}

impl Args {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let misuse = |message: String| Err(Fault::new("rotate-misuse", message));
        let ways = [self.to.is_some(), self.undo, self.restore.is_some()].into_iter().filter(|given| *given).count();
        if ways > 1 {
            return misuse("`to`, `undo` and `restore` are three ways to say which value: give one of them".to_owned());
        }
        if ways > 0 && (self.length.is_some() || self.alphabet.is_some()) {
            return misuse("`length` and `alphabet` are for a value that is generated".to_owned());
        }
        if let Some(length) = self.length.filter(|length| !(16..=1024).contains(length)) {
            return misuse(format!("`length` is {length}: it must be from 16 to 1024"));
        }
        if self.to.as_ref().and_then(Arg::known).is_some_and(|to| to.names().next().is_none()) {
            let hint = "declare it in `[environments.E.secrets]`, and give it as secret(\"NAME\")";
            let message = "`to` is text: a secret would stand in the runbook and in every record";
            return Err(Fault::new("rotate-misuse", message).hint(hint));
        }
        Ok(())
    }

    pub(super) fn length(&self) -> u32 {
        self.length.unwrap_or(LENGTH)
    }

    pub(super) fn alphabet(&self) -> Alphabet {
        self.alphabet.unwrap_or(Alphabet::Alphanumeric)
    }

    /// The value that is asked for. A new one is kept out of everything from now on.
    pub(super) async fn wanted(
        &self,
        record: &Record,
        current: &Change,
        act: &Act,
        key: &IdempotencyKey,
    ) -> Result<Wanted, Fault> {
        let name = &self.secret;
        if self.undo {
            return self.undone(record, current, key);
        }
        if let Some(generation) = &self.restore {
            let generation = *known(generation)?;
            let Some(value) =
                record.value_of(generation).or((generation == current.generation).then_some(current.value))
            else {
                return Err(Fault::new(
                    "rotate-misuse",
                    format!("generation {generation} of secret {name} is not kept"),
                ));
            };
            let same = value == current.value;
            return Ok(if same {
                Wanted::Same(format!("it has the value of generation {generation}"))
            } else {
                Wanted::Former(value)
            });
        }
        let value = match &self.to {
            Some(to) => act.reveal(known::<SecretText>(to)?).await?,
            None => generate(act, self.alphabet(), self.length())?,
        };
        act.secrets().conceal(name, &value)?;
        Ok(Wanted::New(value))
    }

    /// The value before this run changed it for the first time.
    fn undone(&self, record: &Record, current: &Change, key: &IdempotencyKey) -> Result<Wanted, Fault> {
        let ours = || record.changes().iter().filter(|change| change.is_of_run(key));
        let (Some(first), Some(last)) = (ours().next(), ours().next_back()) else {
            return Ok(Wanted::Same("this run has not changed it".to_owned()));
        };
        if current.value == first.before {
            return Ok(Wanted::Same("it has the value that it had before this run".to_owned()));
        }
        if current.generation > last.generation {
            let message = format!("secret {} was changed by somebody else after this run had changed it", self.secret);
            let hint = "decide by hand which value it should have";
            return Err(Fault::new("rotate-conflict", message).hint(hint));
        }
        Ok(Wanted::Former(first.before))
    }
}

fn known<T>(arg: &Arg<T>) -> Result<&T, Fault> {
    match arg {
        Arg::Known(value) => Ok(value),
        Arg::Unknown(label) => Err(Fault::new("argument", format!("{label} is not known before the run"))),
    }
}

fn generate(act: &Act, alphabet: Alphabet, length: u32) -> Result<Revealed, Fault> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let text: Zeroizing<String> = act
        .random_text(alphabet.characters().as_bytes(), length)
        .map_err(|error| Fault::new("rotate-failed", format!("the system gives no random numbers: {error}")))?;
    Ok(Revealed::from(text))
}

/// What a plan says of the value.
pub(super) fn said(args: &Args, look: &Look) -> (String, Option<Fault>) {
    match (&args.to, &args.restore) {
        _ if args.undo => ("takes back what this run has done to it".to_owned(), None),
        (Some(to), _) => (format!("takes the value of {to}"), to.known().and_then(|to| look.obstacle_to(to))),
        (_, Some(generation)) => (format!("takes the value of generation {generation} again"), None),
        _ => (format!("{} new characters, {}", args.length(), args.alphabet().words()), None),
    }
}
