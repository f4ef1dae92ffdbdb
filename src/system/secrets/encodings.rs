//! The forms in which a secret may turn up: as it is, and as programs and servers encode it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// An encoded form is looked for from this length on: a shorter one would be found by chance. The value itself is always looked for.
const SHORTEST: usize = 6;
/// A line of a secret with several lines is looked for by itself from this length on.
const SHORTEST_LINE: usize = 8;

/// Every form of `value` that is looked for, each once.
pub(super) fn forms(value: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = BTreeSet::from([value.to_owned()]);
    let trimmed = value.trim();
    let mut encoded = Vec::new();
    for base in [value, trimmed] {
        encoded.extend(base64s(base));
        encoded.extend(hexes(base));
        encoded.extend(percents(base));
        encoded.extend(escapes(base));
        encoded.push(base.to_owned());
    }
    forms.extend(encoded.into_iter().filter(|form| form.len() >= SHORTEST));
    forms.extend(lines(value));
    forms.into_iter().map(|form| Zeroizing::new(form.into_bytes())).collect()
}

/// A key of several lines may be shown line by line, or indented.
fn lines(value: &str) -> impl Iterator<Item = String> {
    let several = value.trim().contains('\n');
    let lines = value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
    // What frames a key is known to everybody.
    lines.filter(move |line| several && !line.starts_with("-----")).map(str::to_owned)
}

/// Alone, and wherever it stands in something longer: `user:password` moves it by any number of bits.
fn base64s(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for letters in [&alphabet::STANDARD, &alphabet::URL_SAFE] {
        let engine = GeneralPurpose::new(letters, GeneralPurposeConfig::new());
        let alone = engine.encode(value);
        forms.push(alone.trim_end_matches('=').to_owned());
        for (shift, foreign) in [(0, 0), (1, 2), (2, 3)] {
            let moved = Zeroizing::new([&vec![0; shift], value.as_bytes()].concat());
            // Characters that hold bits of a neighbour are not ours.
            let whole = (shift + value.len()) * 8 / 6;
            forms.push(engine.encode(&*moved)[foreign.min(whole)..whole].to_owned());
        }
        // Programs break it into lines.
        forms.extend([64, 76].into_iter().flat_map(|width| wrapped(&alone, width)));
        forms.push(alone);
    }
    forms
}

fn hexes(value: &str) -> Vec<String> {
    let mut lower = String::with_capacity(value.len() * 2);
    for byte in value.bytes() {
        let _ = write!(lower, "{byte:02x}");
    }
    let upper = lower.to_uppercase();
    let mut forms = wrapped(&lower, 60);
    forms.extend([lower, upper]);
    forms
}

/// The lines of a text that is broken every `width` characters, if it is.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let lines = text.as_bytes().chunks(width).filter(|_| text.len() > width);
    lines.filter(|line| line.len() >= 16).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

/// Which characters an address keeps as they are depends on the place and on the program.
fn percents(value: &str) -> Vec<String> {
    const KEPT: [&str; 5] = ["-._~", "-._~!'()*", "-._*", "-._~!$&'()*+,;=", "-._~!$%&()*+,/:;=?@[\\]^`{|}"];
    let mut forms = Vec::new();
    for kept in KEPT {
        let mut upper = String::with_capacity(value.len() * 3);
        for byte in value.bytes() {
            match byte {
                byte if byte.is_ascii_alphanumeric() || kept.contains(char::from(byte)) => upper.push(byte.into()),
                byte => {
                    let _ = write!(upper, "%{byte:02X}");
                }
            }
        }
        forms.extend([upper.replace("%20", "+"), lower_hex(&upper, '%', 2), upper]);
    }
    forms
}

/// With the hexadecimal digits after each `mark` in lower case.
fn lower_hex(text: &str, mark: char, digits: usize) -> String {
    let mut left = 0;
    let lower = |c: char| {
        if c == mark {
            left = digits;
            return c;
        }
        let inside = left > 0;
        left = left.saturating_sub(1);
        if inside { c.to_ascii_lowercase() } else { c }
    };
    text.chars().map(lower).collect()
}

fn escapes(value: &str) -> Vec<String> {
    let json = json(value);
    let html = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let debug = format!("{value:?}");
    vec![
        self::json(&json),
        json.replace('/', "\\/"),
        ascii_json(&json, |unit| format!("\\u{unit:04x}")),
        ascii_json(&json, |unit| format!("\\u{unit:04X}")),
        html.replace('\'', "&#39;"),
        html.replace('\'', "&#x27;"),
        html.replace('\'', "&apos;"),
        html,
        value.replace('\'', "''"),
        value.replace('"', "\"\""),
        value.replace('\'', r"'\''"),
        value.replace('\\', "\\\\").replace('\'', "\\'"),
        debug[1..debug.len() - 1].to_owned(),
        json,
    ]
}

/// As it stands between the quotes of a JSON text.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The same, as writers do it that keep to ASCII.
fn ascii_json(json: &str, escape: impl Fn(u16) -> String) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&escape(*unit))),
        }
    }
    out
}
