//! Interpolation makes text of everything. Text that something went into that is not text carries marks, from a range that no
//! keyboard writes, so that it is known as such when it leaves the script.

use crate::model::{Part, SecretText, Unknown, Value};

/// Stands in text that an unknown value went into.
const UNKNOWN: char = '\u{E0F0}';
/// Stand around the name of a secret.
const SECRET: (char, char) = ('\u{E0F1}', '\u{E0F2}');

/// The text of an unknown value.
pub(super) fn unknown(text: &str) -> String {
    format!("{UNKNOWN}{text}")
}

/// Whether an unknown value went into this text.
pub(super) fn is_unknown(text: &str) -> bool {
    text.contains(UNKNOWN)
}

/// Text in which secrets stand, as one text.
pub(super) fn secret(text: &SecretText) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.to_string(),
        Part::Secret { name } => format!("{}{name}{}", SECRET.0, SECRET.1),
    };
    text.parts().iter().map(part).collect()
}

/// The text as people read it: unknowns by their labels, secrets by their names.
pub(super) fn readable(text: &str) -> String {
    if !text.contains(is_mark) {
        return text.to_owned();
    }
    text.replace(UNKNOWN, "").replace(SECRET.0, "secret(").replace(SECRET.1, ")")
}

/// The text as it leaves the script. The error says why it cannot.
pub(super) fn leaving(text: &str) -> Result<Value, String> {
    if !text.contains(is_mark) {
        return Ok(Value::from(text));
    }
    if is_unknown(text) {
        return Ok(Value::Unknown(Unknown::text(readable(text))));
    }
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once(SECRET.0) {
        let whole = after.split_once(SECRET.1).filter(|_| !before.contains(SECRET.1));
        let (name, behind) = whole.ok_or("text with a secret in it can be joined with other text, and nothing else")?;
        parts.extend([Part::Text(before.into()), Part::Secret { name: name.into() }]);
        rest = behind;
    }
    parts.push(Part::Text(rest.into()));
    Ok(Value::Secret(SecretText::of(parts)))
}

/// Text that comes into a script: marks of somebody else mean nothing here.
pub(super) fn entering(text: &str) -> std::borrow::Cow<'_, str> {
    // No mark is ASCII, and most texts are.
    if !text.is_ascii() && text.contains(is_mark) { text.replace(is_mark, "").into() } else { text.into() }
}

fn is_mark(c: char) -> bool {
    [UNKNOWN, SECRET.0, SECRET.1].contains(&c)
}
