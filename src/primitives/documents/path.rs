//! Where a value stands in a document: `pool.size`, `servers."eu.west".port`, `users[0].name`.

use std::fmt;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::primitives) enum Segment {
    /// A key of a table.
    Name(String),
    /// A place in a list, from 0.
    Index(usize),
}

/// Where a value stands. The document itself is the empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::primitives) struct KeyPath(pub(super) Vec<Segment>);

impl KeyPath {
    /// A path of one name, whatever is in it.
    pub(in crate::primitives) fn name(name: &str) -> Self {
        Self(vec![Segment::Name(name.to_owned())])
    }

    /// Reads a path as people write it. The error says what is wrong with it.
    pub(in crate::primitives) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("`{text}` is no key: {why}"));
        let (mut segments, mut rest) = (Vec::new(), text);
        loop {
            if let Some(quoted) = rest.strip_prefix('"') {
                let Some((name, after)) = unquote(quoted) else { return wrong("a `\"` is not closed") };
                segments.push(Segment::Name(name));
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return wrong("a name is missing; write it as `pool.size`, and a name with a dot in quotes");
                }
                segments.push(Segment::Name(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            while let Some(inside) = rest.strip_prefix('[') {
                let index = inside.split_once(']').and_then(|(n, after)| Some((n.parse().ok()?, after)));
                let Some((index, after)) = index else { return wrong("a place in a list is written as `[0]`") };
                segments.push(Segment::Index(index));
                rest = after;
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => return Ok(Self(segments)),
                None => return wrong("after a name comes `.` or `[`"),
            }
        }
    }

    /// This path and one more name.
    pub(super) fn child(&self, name: &str) -> Self {
        self.and(Segment::Name(name.to_owned()))
    }

    /// This path and a place in the list there.
    pub(super) fn item(&self, index: usize) -> Self {
        self.and(Segment::Index(index))
    }

    fn and(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }

    /// This path with another one after it.
    pub(in crate::primitives) fn join(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// Whether `other` is this path or lies below it.
    pub(in crate::primitives) fn holds(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// This path and all above it.
    pub(in crate::primitives) fn ancestors(&self) -> impl Iterator<Item = Self> {
        (1..=self.0.len()).map(|length| Self(self.0[..length].to_vec()))
    }

    /// The names on the way, places in lists left out.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Name(name) => Some(name.as_str()),
            Segment::Index(_) => None,
        })
    }
}

/// The text up to the closing quote, and what comes after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((name, &text[at + 1..])),
            '\\' => name.push(chars.next()?.1),
            c => name.push(c),
        }
    }
    None
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Name(name) => {
                    f.write_str(if n > 0 { "." } else { "" })?;
                    // Anything unusual is quoted: no name can look like a path, or like what stands for an unknown or a secret.
                    let bare = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
                    if bare {
                        f.write_str(name)?;
                    } else {
                        write!(f, "\"{}\"", name.replace('\\', r"\\").replace('"', "\\\""))?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_again() {
        for text in ["pool", "pool.size", r#"a."b.c".d"#, "users[0].names[2][1]", r#""$secret""#, r#""\"\\".x"#] {
            assert_eq!(KeyPath::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(KeyPath::parse("a.$x y").expect("reads").to_string(), r#"a."$x y""#);
        assert_eq!(KeyPath::name("a.b").to_string(), r#""a.b""#);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[0]b", "\"a", "[0]", "a[-1]"] {
            let why = KeyPath::parse(text).expect_err(text);
            assert!(why.starts_with(&format!("`{text}` is no key: ")), "{why}");
        }
    }

    #[test]
    fn a_path_holds_itself_and_what_lies_below() {
        let path = |text| KeyPath::parse(text).expect(text);
        assert!(path("a.b").holds(&path("a.b")) && path("a").holds(&path("a.b[0].c")));
        assert!(!path("a.b").holds(&path("a")) && !path("a").holds(&path("ab")));
        assert_eq!(path("a[1]").join(&path("b")), path("a[1].b"));
    }
}
