//! Reads `[state]`.

use std::path::Path;

use toml::de::DeTable;

use crate::model::Span;

use super::environment::{SharedState, State};
use super::parse_secrets;
use super::reader::{Node, Reader};

/// Shorter leases would be lost to a busy disk.
const SHORTEST: Span = Span::from_secs(1);

const URL: &str = "url = \"https://runs.example.com\"";

/// How the state is kept.
pub(super) fn read(reader: &mut Reader<'_>, root: &Path, document: &DeTable<'_>) -> State {
    let mut state = State::default();
    let Some(value) = document.get("state") else { return state };
    let Some(table) = reader.table("`state`", value, "[state]") else { return state };
    reader.keys(table, &["lease", "url", "token"], "[state]");
    if let Some(value) = table.get("lease")
        && let Some(text) = reader.text("`lease`", value, "lease = \"30s\"")
    {
        match text.parse::<Span>() {
            Ok(lease) if lease >= SHORTEST => state.lease = lease,
            Ok(_) => reader.wrong(value.span(), format!("`lease` is {text}"), format!("make it {SHORTEST} at least")),
            Err(why) => reader.wrong(value.span(), format!("`lease`: {why}"), "write it as `lease = \"30s\"`"),
        }
    }
    let token = table.get("token").map(|value| (value, parse_secrets::source(reader, root, "token", value)));
    match (table.get("url"), token) {
        (Some(value), token) => {
            if let Some(url) = url(reader, value, token.is_some()) {
                state.shared = Some(SharedState { url, token: token.and_then(|(_, source)| source) });
            }
        }
        (None, Some((value, _))) => {
            reader.wrong(
                value.span(),
                "`token` is for a journal that is shared, and there is none".to_owned(),
                format!("add `{URL}`"),
            );
        }
        (None, None) => {}
    }
    state
}

fn url(reader: &mut Reader<'_>, value: &Node<'_>, has_token: bool) -> Option<String> {
    let url = reader.text("`url`", value, URL)?;
    let scheme = ["https://", "libsql://", "http://"].into_iter().find(|scheme| url.starts_with(scheme));
    let Some(scheme) = scheme.filter(|scheme| url.len() > scheme.len()) else {
        let help = format!("write it as `{URL}`");
        reader.wrong(value.span(), format!("`url` is {url}: it must begin with https://, libsql:// or http://"), help);
        return None;
    };
    if let Some(odd) = url.chars().find(|c| matches!(c, '@' | '?' | '#') || c.is_whitespace()) {
        let help = "the token stands below it, as `token = { env = \"LIFEBOAT_STATE_TOKEN\" }`";
        reader.wrong(
            value.span(),
            format!("`url` holds `{odd}`: it is shown in messages, and must be an address alone"),
            help,
        );
        return None;
    }
    let host = url[scheme.len()..].split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(host, _)| host);
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    if scheme == "http://" && has_token && !is_here {
        let help = "write https://, or leave the token out where the network itself is private";
        reader.wrong(value.span(), "whoever is on the way to `url` could read the token".to_owned(), help);
        return None;
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tests::{good, place};
    use super::super::{Config, SharedState};
    use crate::model::SecretSource;

    fn told(text: &str) -> String {
        let parsed = Config::parse(Path::new("/project/lifeboat.toml"), text.into());
        parsed.expect_err(text).iter().map(place).collect()
    }

    #[test]
    fn a_journal_is_shared_at_an_address_with_a_token_from_elsewhere() {
        let shared = |text: &str| good(&format!("[state]\n{text}\n")).state.shared;
        assert_eq!(shared(""), None);
        let token = Some(SecretSource::Env("TOKEN".to_owned()));
        let url = "https://runs.example.com".to_owned();
        let text = "url = \"https://runs.example.com\"\ntoken = { env = \"TOKEN\" }";
        assert_eq!(shared(text), Some(SharedState { url, token }));
        for url in ["libsql://team.example.io", "http://10.0.0.1:8080", "http://[::1]:8080/team"] {
            assert_eq!(shared(&format!("url = \"{url}\"")).map(|shared| shared.url).as_deref(), Some(url));
        }
        for here in ["127.0.0.1", "localhost", "[::1]"] {
            assert!(
                shared(&format!("url = \"http://{here}:8080\"\ntoken = {{ env = \"TOKEN\" }}")).is_some(),
                "{here}"
            );
        }
    }

    #[test]
    fn what_would_show_a_token_or_lead_nowhere_is_refused() {
        for (url, why) in [
            ("runs.example.com", "2:7 `url` is runs.example.com: it must begin with https://, libsql:// or http://"),
            ("https://", "2:7 `url` is https://: it must begin with"),
            ("libsql://a.example?authToken=x", "2:7 `url` holds `?`: it is shown in messages"),
            ("https://me:secret@a.example", "2:7 `url` holds `@`"),
            ("http://127.0.0.1.example", "2:7 whoever is on the way to `url` could read the token"),
            ("http://[::ffff:203.0.113.9]:80", "2:7 whoever is on the way"),
        ] {
            let said = told(&format!("[state]\nurl = \"{url}\"\ntoken = {{ env = \"TOKEN\" }}\n"));
            assert!(said.starts_with(why), "{url}: {said}");
        }
        let alone = told("[state]\ntoken = { env = \"TOKEN\" }\n");
        assert!(alone.starts_with("2:9 `token` is for a journal that is shared, and there is none"), "{alone}");
        let value = told("[state]\nurl = \"https://a.example\"\ntoken = \"abc\"\n");
        assert!(value.contains("must say where its value comes from, and never be the value itself"), "{value}");
    }
}
