//! Secrets: whether each can be had. No value is shown, or kept beyond this look.

use std::time::Duration;

use serde_json::Value as Json;

use crate::config::Environment;
use crate::model::{SecretSource, SecretText, Span};
use crate::system::Look;

use super::Finding;

/// Each secret of the environment, and settings that look as if they held one in plain text.
pub(super) async fn all(environment: &Environment, look: &Look, patience: Duration) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, source) in &environment.secrets {
        findings.push(one(name, source, look, patience).await);
    }
    findings.extend(plain(environment));
    findings
}

async fn one(name: &str, source: &SecretSource, look: &Look, patience: Duration) -> Finding {
    let subject = format!("secret {name}");
    let from = match source {
        SecretSource::Env(variable) => format!("the variable {variable}"),
        SecretSource::File(path) => path.display().to_string(),
        SecretSource::Command(words) => format!("`{}`", words.first().map(String::as_str).unwrap_or_default()),
        SecretSource::Age { file, .. } => file.display().to_string(),
    };
    let text = SecretText::named(name);
    match tokio::time::timeout(patience, look.reveal(&text)).await {
        Ok(Ok(_)) => Finding::ok(subject, format!("can be had from {from}")),
        Ok(Err(fault)) => {
            let finding = Finding::fail(subject, fault.message);
            match fault.hint {
                Some(hint) => finding.hint(hint),
                None => finding,
            }
        }
        Err(_) => Finding::fail(subject, format!("{from} did not give it within {}", Span(patience)))
            .hint("does it ask somebody for a passphrase? `--timeout` waits longer"),
    }
}

/// What the names of settings say that usually hold a credential.
const TELLING: [&str; 6] = ["password", "passwd", "token", "api_key", "authorization", "secret"];

/// Texts under telling names that are no secrets.
fn plain(environment: &Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    for target in environment.targets.values() {
        let mut found = Vec::new();
        telling(&target.settings, &mut found);
        findings.extend(found.into_iter().map(|name| {
            let message = format!("`{name}` stands in lifeboat.toml as plain text");
            let hint = format!("declare it in [environments.{}.secrets] and write {{secret:NAME}}", environment.name);
            Finding::warn(format!("{} {}", target.kind, target.name), message).hint(hint)
        }));
    }
    findings
}

fn telling(json: &Json, found: &mut Vec<String>) {
    for (name, value) in json.as_object().into_iter().flatten() {
        let lower = name.to_lowercase();
        match value {
            Json::String(text) if !text.is_empty() && TELLING.contains(&lower.as_str()) => found.push(name.clone()),
            other => telling(other, found),
        }
    }
}
