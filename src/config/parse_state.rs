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
