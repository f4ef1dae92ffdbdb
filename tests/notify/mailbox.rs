//! A mail as its reader sees it: headers unfolded and decoded, the text in plain.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mail_server::Taken;

/// A mail that was read.
#[derive(Debug)]
pub(crate) struct Read {
    headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Read {
    pub(crate) fn from(taken: &Taken) -> Self {
        let (head, body) = taken.data.split_once("\n\n").expect("headers and a text");
        let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line}"));
            (name.to_lowercase(), decoded(value))
        };
        let headers: Vec<_> = unfolded.lines().map(header).collect();
        let read = Self { headers, text: String::new() };
        let text = match read.header("content-transfer-encoding") {
            Some("base64") => utf8(STANDARD.decode(body.replace('\n', "")).expect("Base64")),
            Some("quoted-printable") => quoted(body),
            Some("7bit" | "8bit") | None => body.to_owned(),
            Some(other) => panic!("an encoding that nobody reads: {other}"),
        };
        Self { text: text.replace("\r\n", "\n"), ..read }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// RFC 2047: `=?utf-8?b?…?=`; the space between two of these does not count.
fn decoded(value: &str) -> String {
    let (mut text, mut rest, mut after_word) = (String::new(), value, false);
    while let Some((before, word)) = rest.split_once("=?utf-8?") {
        if !(after_word && before.trim().is_empty()) {
            text.push_str(before);
        }
        let (encoded, behind) = word[2..].split_once("?=").expect("an encoded word ends");
        text.push_str(&match &word[..1] {
            "b" => utf8(STANDARD.decode(encoded).expect("Base64")),
            "q" => quoted(&encoded.replace('_', " ")),
            other => panic!("an encoding that nobody reads: {other}"),
        });
        (rest, after_word) = (behind, true);
    }
    text + rest
}

fn quoted(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'=' {
            let digits = std::str::from_utf8(&more[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal"));
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    utf8(bytes)
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}
