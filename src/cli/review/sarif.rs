//! What is wrong in a review as SARIF 2.1.0, the format of code scanning (OASIS Standard, 2020-03-27).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{Review, RunbookReview, Site};
use crate::runtime::Error;

/// The document.
pub(super) fn render(review: &Review) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(&sarif(review));
    text.map_err(|error| Error::Internal { why: format!("the SARIF cannot be written: {error}") })
}

fn sarif(review: &Review) -> Value {
    let results: Vec<Value> = review.runbooks.iter().flat_map(results).collect();
    let mut rules: BTreeMap<String, String> = BTreeMap::new();
    for result in &results {
        let id = result["ruleId"].as_str().unwrap_or_default();
        let mut known = review
            .runbooks
            .iter()
            .filter_map(|runbook| runbook.exploration.as_ref())
            .flat_map(|found| &found.invariants);
        let known = known.find(|invariant| &*invariant.name == id).map(|invariant| invariant.summary.to_string());
        rules.insert(id.to_owned(), known.unwrap_or_else(|| id.replace('-', " ")));
    }
    let rules: Vec<Value> =
        rules.into_iter().map(|(id, summary)| json!({ "id": id, "shortDescription": { "text": summary } })).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Lifeboat",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn results(runbook: &RunbookReview) -> Vec<Value> {
    let mut found = Vec::new();
    for finding in &runbook.findings {
        let level = if finding.error { "error" } else { "warning" };
        let message = match &finding.help {
            Some(help) => format!("{}; {help}", finding.message),
            None => finding.message.clone(),
        };
        found.push(result(&finding.code, level, &message, finding.site.as_ref(), &runbook.runbook));
    }
    let Some(exploration) = &runbook.exploration else { return found };
    let new = runbook.new_violations();
    for violated in exploration.violations.iter().filter(|violated| violated.waived.is_none()) {
        let site = violated.story.iter().find(|line| line.broken).map(|line| &line.site);
        let level = if new.contains(&&*violated.invariant) { "error" } else { "warning" };
        let message = format!("{}: {}, on {} paths", violated.summary, violated.why, violated.paths);
        found.push(result(&violated.invariant, level, &message, site, &runbook.runbook));
    }
    for stuck in &exploration.stuck {
        let id = if stuck.mistake { "mistake" } else { "not-followed" };
        found.push(result(id, "error", &stuck.why, stuck.site.as_ref(), &runbook.runbook));
    }
    for plan in &runbook.plans {
        let worse = plan.diff.iter().flat_map(|diff| &diff.failures).filter(|failure| failure.worse);
        for failure in worse {
            let message = format!("if {} ends in `{}`: {}", failure.call, failure.way, failure.what.join("; "));
            let one = result("fails-worse", "note", &message, Some(&failure.site), &runbook.runbook);
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

fn result(id: &str, level: &str, message: &str, site: Option<&Site>, runbook: &str) -> Value {
    // A place without a line, and one in a module that ships with Lifeboat, stands at the head of the runbook.
    let inside = site.filter(|site| site.line > 0 && !site.file.starts_with("std/"));
    let (file, line, column) = inside.map_or((runbook, 1, 1), |site| (&*site.file, site.line, site.column.max(1)));
    json!({
        "ruleId": id,
        "level": level,
        "message": { "text": message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(file), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": line, "startColumn": column },
        } }],
    })
}

/// A path as a relative reference.
fn uri(path: &str) -> String {
    let mut shown = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            shown.push(char::from(byte));
        } else {
            shown.push('%');
            for digit in [byte >> 4, byte & 15] {
                shown.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("runbooks/a b%.rhai"), "runbooks/a%20b%25.rhai");
        assert_eq!(uri("runbooks/ü.rhai"), "runbooks/%C3%BC.rhai");
    }
}
