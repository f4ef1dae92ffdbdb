//! Pages of HTML that need nothing but themselves: a small builder that escapes everything, and the frame around what it builds.
//!
//! A page has no script and loads nothing: its policy forbids both, so that not even a mistake in what is escaped could.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

/// The frame of a page; what stands in braces is put in.
const FRAME: &str = include_str!("html/frame.html");
/// What every page looks like.
const STYLE: &str = include_str!("html/page.css");

/// A piece of a page. Names of elements and attributes are ours; every text is escaped.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

/// Attributes of an element: names and values.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    /// An element with what `inside` puts into it.
    pub(super) fn element(&mut self, name: &'static str, attributes: Attributes, inside: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        inside(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// An element with nothing but text in it.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: Attributes, text: &str) {
        self.element(name, attributes, |inside| inside.text(text));
    }

    /// A part of a page that has a name of its own.
    pub(super) fn section(&mut self, id: &str, title: &str, inside: impl FnOnce(&mut Self)) {
        self.newline();
        self.element("section", &[("id", id)], |section| {
            section.leaf("h2", &[], title);
            inside(section);
        });
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        escape(&mut self.0, text);
    }

    /// A line ends here, for whoever reads the page as text.
    pub(super) fn newline(&mut self) {
        self.0.push('\n');
    }

    /// The whole page around this piece: its title, the command that makes it, and what it looks like beside every page.
    pub(super) fn page(&self, title: &str, command: &str, style: &str) -> String {
        let style = format!("{STYLE}{style}");
        let digest = BASE64_STANDARD.encode(Sha256::digest(style.as_bytes()));
        let policy = format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'");
        let mut page = String::with_capacity(self.0.len() + style.len() + FRAME.len());
        let mut frame = FRAME;
        while let Some((before, rest)) = frame.split_once('{') {
            page.push_str(before);
            let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
            match name {
                "title" => escape(&mut page, title),
                "command" => escape(&mut page, command),
                "policy" => escape(&mut page, &policy),
                "style" => page.push_str(&style),
                "body" => page.push_str(&self.0),
                _ => {}
            }
            frame = after;
        }
        page.push_str(frame);
        page
    }

    fn open(&mut self, name: &str, attributes: Attributes) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes.iter().filter(|(name, value)| *name != "class" || !value.is_empty()) {
            self.0.push(' ');
            self.0.push_str(name);
            // An attribute without a value is on because it is there.
            if !value.is_empty() {
                self.0.push_str("=\"");
                escape(&mut self.0, value);
                self.0.push('"');
            }
        }
        self.0.push('>');
    }
}

/// Characters that tell a browser to turn the direction of what follows: text could pretend to be other text.
pub(super) fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
}

fn escape(into: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            '\n' | '\t' => into.push(c),
            c if c.is_control() || turns_direction(c) => into.push('\u{FFFD}'),
            c => into.push(c),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Whether every element of a page is closed where it was opened, and nothing stands in it that could run or load something.
    #[track_caller]
    pub(in crate::cli) fn is_well_formed(page: &str) {
        const VOID: [&str; 4] = ["meta", "br", "hr", "col"];
        let (mut open, mut rest) = (Vec::new(), page.split_once("<!doctype html>").expect("it is HTML 5").1);
        while let Some((text, after)) = rest.split_once('<') {
            assert!(!text.contains('>') || open.last() == Some(&"style"), "a stray `>` in {text:?}");
            let (tag, next) = after.split_once('>').unwrap_or_else(|| panic!("a tag is not closed: {after:?}"));
            let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "<{tag}>");
            assert!(!["script", "iframe", "object", "img", "link", "base", "form"].contains(&name), "<{tag}>");
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "</{name}> closes another element");
            } else if !VOID.contains(&name) {
                open.push(name);
            }
            assert!(tag.matches('"').count() % 2 == 0 && !tag.contains('\''), "<{tag}>");
            let loads = ["src=", "style=", "http-equiv=\"refresh\"", "url(", "javascript:"];
            assert!(!loads.iter().any(|word| tag.contains(word)) && !tag.contains(" on"), "<{tag}>");
            rest = next;
        }
        assert!(open.is_empty(), "not closed: {open:?}");
        let links = page.split(" href=\"").skip(1);
        links.for_each(|link| assert!(link.starts_with('#'), "a link leads out: {:?}", &link[..link.len().min(40)]));
        let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|id| id.split('"').next()).collect();
        let once: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(once.len(), ids.len(), "an id stands twice");
        for link in page.split(" href=\"#").skip(1).filter_map(|link| link.split('"').next()) {
            assert!(once.contains(link), "#{link} leads nowhere");
        }
    }

    #[test]
    fn every_text_is_escaped() {
        let mut html = Html::default();
        let hostile = "</style><script>alert(\"1\")</script> 'x' & {style} \u{202E}\u{1b}[31m";
        html.element("p", &[("title", hostile)], |p| p.text(hostile));
        let page = html.page(hostile, "test", "p { margin: 0 }");
        is_well_formed(&page);
        assert!(!page.contains("<script") && !page.contains('\u{202E}') && !page.contains('\u{1b}'), "{page}");
        assert_eq!(page.matches("&lt;/style&gt;&lt;script&gt;").count(), 3, "its title, an attribute, a text");
    }

    #[test]
    fn nothing_but_its_own_style_is_allowed() {
        let page = Html::default().page("A", "test", "p { margin: 0 }");
        let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).expect("a style").0;
        let digest = BASE64_STANDARD.encode(Sha256::digest(style.as_bytes()));
        assert!(page.contains(&format!("default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;;")), "{page}");
    }

    #[test]
    fn the_frame_has_what_it_names() {
        for name in ["{title}", "{command}", "{policy}", "{style}", "{body}"] {
            assert_eq!(FRAME.matches(name).count(), 1, "{name}");
        }
        assert_eq!(FRAME.matches('{').count(), 5);
    }
}
