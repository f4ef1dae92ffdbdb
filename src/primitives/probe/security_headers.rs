//! Whether an answer protects those who see it in a browser.
//!
//! | header | fails | warns |
//! |---|---|---|
//! | `Strict-Transport-Security`, over https | missing, `max-age=0` | less than 180 days |
//! | `Content-Security-Policy` | missing, or only in `-Report-Only` | scripts from anywhere, inline, or by `eval` |
//! | `X-Content-Type-Options` | not `nosniff` | |
//! | `X-Frame-Options`, or `frame-ancestors` | missing | something that no browser knows |
//! | `Referrer-Policy` | | `unsafe-url` |
//! | plain HTTP | answers itself, or leads elsewhere | leads to https with a redirect that is not permanent |

use super::finding::{Finding, shorten};
use crate::system::{HttpError, HttpErrorKind, HttpResponse};

/// 180 days, in seconds.
const HALF_A_YEAR: u64 = 15_552_000;

/// Judges the headers of an answer; `https` says how it came.
pub(super) fn judge(response: &HttpResponse, https: bool, finding: &mut Finding) {
    let header = |name: &str| response.headers.get(name).map(|value| value.to_ascii_lowercase());
    if https {
        transport(header("strict-transport-security").as_deref(), finding);
    } else {
        finding.warn("not over https: whoever is on the way can read and change it");
    }
    let policy = header("content-security-policy");
    match (&policy, header("content-security-policy-report-only")) {
        (Some(policy), _) => scripts(policy, finding),
        (None, Some(_)) => finding.fail("Content-Security-Policy only reports"),
        (None, None) => finding.fail("no Content-Security-Policy"),
    }
    match header("x-content-type-options") {
        Some(value) if value.trim() == "nosniff" => {}
        Some(value) => finding.fail(format!("X-Content-Type-Options is {:?}, not nosniff", shorten(&value, 40))),
        None => finding.fail("no X-Content-Type-Options"),
    }
    let framed = policy.as_deref().is_some_and(|policy| directive(policy, "frame-ancestors").is_some());
    match header("x-frame-options").as_deref().map(str::trim) {
        _ if framed => {}
        Some("deny" | "sameorigin") => {}
        Some(other) => finding.warn(format!("X-Frame-Options is {:?}, which no browser knows", shorten(other, 40))),
        None => finding.fail("no X-Frame-Options and no frame-ancestors"),
    }
    if header("referrer-policy").is_some_and(|value| value.trim() == "unsafe-url") {
        finding.warn("Referrer-Policy is unsafe-url");
    }
}

fn transport(header: Option<&str>, finding: &mut Finding) {
    let Some(header) = header else { return finding.fail("no Strict-Transport-Security") };
    let age = header.split(';').find_map(|part| part.trim().strip_prefix("max-age="));
    match age.and_then(|age| age.trim_matches('"').parse::<u64>().ok()) {
        None => finding.fail("Strict-Transport-Security has no max-age"),
        Some(0) => finding.fail("Strict-Transport-Security has max-age=0: browsers forget it"),
        Some(age) if age < HALF_A_YEAR => {
            finding.warn(format!("Strict-Transport-Security holds for {} days only", age / 86_400));
        }
        Some(_) => {}
    }
}

/// What a policy lets scripts do. A nonce, a hash or `strict-dynamic` makes browsers ignore `unsafe-inline`.
fn scripts(policy: &str, finding: &mut Finding) {
    let Some(sources) = directive(policy, "script-src").or_else(|| directive(policy, "default-src")) else {
        return finding.warn("Content-Security-Policy says nothing of scripts");
    };
    let has = |word: &str| sources.contains(&word);
    let strict = has("'strict-dynamic'") || sources.iter().any(|s| s.starts_with("'nonce-") || s.starts_with("'sha"));
    if has("'unsafe-inline'") && !strict {
        finding.warn("Content-Security-Policy lets inline scripts run ('unsafe-inline')");
    }
    if has("'unsafe-eval'") {
        finding.warn("Content-Security-Policy lets text run as scripts ('unsafe-eval')");
    }
    let anywhere = sources.iter().find(|source| ["*", "http:", "https:", "data:"].contains(source));
    if let Some(source) = anywhere.filter(|_| !has("'strict-dynamic'")) {
        finding.warn(format!("Content-Security-Policy takes scripts from anywhere ({source})"));
    }
}

/// The sources of a directive; `None` where the policy does not have it.
fn directive<'a>(policy: &'a str, name: &str) -> Option<Vec<&'a str>> {
    // Several policies are joined by commas: the first one that has the directive is looked at.
    policy.split([';', ',']).find_map(|part| {
        let mut words = part.split_ascii_whitespace();
        (words.next() == Some(name)).then(|| words.collect())
    })
}

/// Judges what plain HTTP at the same place answers.
pub(super) fn redirect(plain: &str, answer: Result<&HttpResponse, &HttpError>, finding: &mut Finding) {
    let response = match answer {
        Ok(response) => response,
        // Nobody there cannot be listened in on.
        Err(error) if error.kind == HttpErrorKind::NoAnswer => return,
        Err(error) => return finding.fail(format!("{plain} answers badly: {}", error.message)),
    };
    let to = response.headers.get("location").map(|to| shorten(to, 80));
    match (response.status, to) {
        (301 | 308, Some(to)) if to.to_ascii_lowercase().starts_with("https://") => {}
        (302 | 303 | 307, Some(to)) if to.to_ascii_lowercase().starts_with("https://") => {
            finding.warn(format!("{plain} leads to https with {}, which is not permanent", response.status));
        }
        (300..400, Some(to)) => finding.fail(format!("{plain} leads to {to}, not to https")),
        (status, _) => finding.fail(format!("{plain} answers {status} without leading to https")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::model::Value;
    use crate::primitives::probe::Status;

    const GOOD: [(&str, &str); 4] = [
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("content-security-policy", "default-src 'self'; frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ];

    fn answer(status: u16, headers: &[(&str, &str)]) -> HttpResponse {
        let headers: BTreeMap<_, _> = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        HttpResponse { status, headers, body: vec![], elapsed: Duration::ZERO, certificate: None }
    }

    fn finding() -> Finding {
        Finding::answered(Duration::ZERO, Value::Null, "200")
    }

    /// What is said when `name` is `value`, or missing, and all else is good.
    fn with(name: &str, value: Option<&str>) -> (Status, String) {
        let mut headers: Vec<_> = GOOD.into_iter().filter(|(other, _)| *other != name).collect();
        headers.extend(value.map(|value| (name, value)));
        let mut found = finding();
        judge(&answer(200, &headers), true, &mut found);
        (found.status, found.problems().join("; "))
    }

    #[test]
    fn good_headers_pass() {
        assert_eq!(with("x", None), (Status::Pass, String::new()));
        let csp = "script-src 'strict-dynamic' 'nonce-abc' 'unsafe-inline' https:; frame-ancestors 'self'";
        assert_eq!(with("content-security-policy", Some(csp)).0, Status::Pass, "what strict-dynamic overrides is fine");
        assert_eq!(with("x-frame-options", None).0, Status::Pass, "frame-ancestors is enough");
        assert_eq!(with("x-content-type-options", Some("NoSniff")).0, Status::Pass);
    }

    #[test]
    fn each_that_is_missing_or_useless_fails() {
        let failed = |name, value| {
            let (status, said) = with(name, value);
            assert_eq!(status, Status::Fail, "{said}");
            said
        };
        assert_eq!(failed("strict-transport-security", None), "no Strict-Transport-Security");
        assert!(failed("strict-transport-security", Some("max-age=0")).contains("browsers forget it"));
        assert!(failed("strict-transport-security", Some("includeSubDomains")).contains("no max-age"));
        assert_eq!(failed("content-security-policy", None), "no Content-Security-Policy");
        assert_eq!(failed("x-content-type-options", None), "no X-Content-Type-Options");
        assert!(failed("x-content-type-options", Some("sniff")).contains("\"sniff\", not nosniff"));
        let mut found = finding();
        judge(&answer(200, &[("content-security-policy-report-only", "default-src 'self'")]), true, &mut found);
        let all = "no Strict-Transport-Security; Content-Security-Policy only reports; no X-Content-Type-Options; \
                   no X-Frame-Options and no frame-ancestors";
        assert_eq!(found.problems().join("; "), all, "each one is named");
    }

    #[test]
    fn each_that_is_weak_warns() {
        let warned = |name, value: &str| {
            let (status, said) = with(name, Some(value));
            assert_eq!(status, Status::Warn, "{said}");
            said
        };
        assert_eq!(
            warned("strict-transport-security", "max-age=86400"),
            "Strict-Transport-Security holds for 1 days only"
        );
        let csp = |value: &str| warned("content-security-policy", &format!("{value}; frame-ancestors 'self'"));
        assert!(csp("default-src 'self' 'unsafe-inline'").contains("'unsafe-inline'"));
        assert!(csp("script-src 'self' 'unsafe-eval'").contains("'unsafe-eval'"));
        assert!(csp("script-src *").contains("from anywhere (*)"));
        assert!(csp("img-src 'self'").contains("says nothing of scripts"));
        assert_eq!(warned("referrer-policy", "unsafe-url"), "Referrer-Policy is unsafe-url");
        let mut found = finding();
        let headers =
            [GOOD[0], ("content-security-policy", "default-src 'self'"), GOOD[2], ("x-frame-options", "ALLOW-FROM x")];
        judge(&answer(200, &headers), true, &mut found);
        assert_eq!((found.status, found.problems().len()), (Status::Warn, 1));
        let mut found = finding();
        judge(&answer(200, &GOOD), false, &mut found);
        assert_eq!(found.status, Status::Warn, "not over https");
    }

    #[test]
    fn plain_http_must_lead_to_https() {
        let of = |answer: Result<&HttpResponse, &HttpError>| {
            let mut found = finding();
            redirect("http://a", answer, &mut found);
            (found.status, found.problems().join("; "))
        };
        let to = |status, to: &str| of(Ok(&answer(status, &[("location", to)])));
        assert_eq!(to(301, "https://a/").0, Status::Pass);
        assert_eq!(to(308, "HTTPS://a/").0, Status::Pass);
        assert_eq!(to(302, "https://a/").0, Status::Warn);
        assert_eq!(
            to(301, "http://www.a/"),
            (Status::Fail, "http://a leads to http://www.a/, not to https".to_owned())
        );
        assert_eq!(
            of(Ok(&answer(200, &[]))),
            (Status::Fail, "http://a answers 200 without leading to https".to_owned())
        );
        let error = |kind| HttpError { message: "x".to_owned(), sent: false, kind };
        assert_eq!(of(Err(&error(HttpErrorKind::NoAnswer))).0, Status::Pass);
        assert_eq!(of(Err(&error(HttpErrorKind::BadAnswer))).0, Status::Fail);
    }
}
