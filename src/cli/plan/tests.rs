//! Comments and pages of plans: no text of a runbook is more than text, and what is too long is left out and said to be.
#![expect(clippy::disallowed_methods, reason = "a test prepares the project that it plans in")]

use super::super::html::tests::is_well_formed;
use super::markdown::{COMMENT, markdown};
use super::page::page;
use crate::model::{Plan, PlanNode};
use crate::runtime::{Lifeboat, PlanRequest};

const CONFIG: &str = "default = \"test\"\n[environments.test]\nprotected = true\n[environments.test.services.web]\n\
    driver = \"http\"\nurl = \"http://127.0.0.1:9/\"\nmaintenance_file = \"maintenance\"\n\
    [environments.test.channels.incidents]\ndriver = \"file\"\npath = \"incidents.jsonl\"\n";

/// A runbook whose texts are everything that could be more than text somewhere.
const HOSTILE: &str = "//! </title><script>alert(1)</script> @everybody | `x` **bold** #12 https://evil.example\n\
    param why: string = \"``` </details> | '\\\"><img src=x onerror=alert(1)> ``\";\n\
    step \"a | b </summary> @ops | <!-- `code`\" {\n\
    \x20   maintenance(\"web\", \"on\");\n\
    \x20   notify(\"incidents\", `\\n| a | b |\\n|---|---|\\n${why} @everybody \u{202E}evil`);\n\
    } rollback {\n\
    \x20   maintenance(\"web\", \"off\");\n\
    }\n\
    log(\"````text\\n- [ ] </pre> @all\");\n";

fn planned(runbook: &str) -> Plan {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("lifeboat.toml"), CONFIG).expect("writes");
    std::fs::write(dir.path().join("a.rhai"), runbook).expect("writes");
    let lifeboat = Lifeboat::builder(dir.path().join("lifeboat.toml")).build().expect("it is configured");
    let request = PlanRequest { runbook: dir.path().join("a.rhai"), ..PlanRequest::default() };
    lifeboat.plan(&request).expect("it can be planned")
}

fn whole(text: &str) -> String {
    text.to_owned()
}

#[test]
fn a_page_is_well_formed_whatever_a_runbook_says() {
    for runbook in [HOSTILE, "let x = 1;", "let x = [1][7];", "//! Two.\nthrow \"@no\";"] {
        is_well_formed(&page(&planned(runbook), &whole));
    }
}

#[test]
fn a_page_says_what_the_text_says() {
    let page = page(&planned(HOSTILE), &whole);
    for said in [
        "completes: 1 change;",
        "step a | b &lt;/summary&gt; @ops",
        "if it is rolled back:",
        "if a call ends otherwise",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

/// What of a comment stands outside of its blocks and spans of code.
fn without_code(comment: &str) -> String {
    let (mut text, mut fence) = (String::new(), None::<String>);
    for line in comment.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() > 2 && line.ends_with("text") => fence = Some(ticks),
            None => {
                text.push_str(&without_spans(line));
                text.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a block of code is not closed");
    text
}

fn without_spans(line: &str) -> String {
    let (mut text, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        if rest[..at].ends_with('\\') {
            text.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        }
        text.push_str(&rest[..at]);
        let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
        let (fence, behind) = rest[at..].split_at(ticks);
        let end = behind
            .match_indices(fence)
            .find(|(n, _)| !behind[..*n].ends_with('`') && !behind[n + ticks..].starts_with('`'));
        rest = &behind[end.unwrap_or_else(|| panic!("a span of code is not closed: {line}")).0 + ticks..];
    }
    text + rest
}

#[test]
fn a_comment_is_one_whatever_a_runbook_says() {
    for runbook in [HOSTILE, "let x = 1;", "let x = [1][7];", "//! Two.\nthrow \"@no\";"] {
        let comment = markdown(&planned(runbook), &whole, COMMENT);
        let text = without_code(&comment);
        for tag in ["details", "summary", "sub"] {
            let count = |tag: &str| text.matches(tag).count();
            assert_eq!(count(&format!("<{tag}>")), count(&format!("</{tag}>")), "{tag}: {text}");
        }
        let ours =
            ["<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>", "<br>", "<code>", "</code>"];
        let bare = ours.iter().fold(text.clone(), |text, tag| text.replace(tag, ""));
        assert!(!bare.contains('<'), "a tag that is not ours: {bare}");
        for (n, _) in text.match_indices('@') {
            assert!(text[n..].starts_with("@&#8203;"), "somebody is mentioned: {text}");
        }
        assert!(!text.contains("://") && !text.contains(" #1") && !text.contains('\u{202E}'), "{text}");
        for row in text.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "a row has five cells: {row}");
        }
    }
}

#[test]
fn what_is_destroyed_comes_first() {
    let two = "step \"One\" { maintenance(\"web\", \"on\"); }\nstep \"Two\" { maintenance(\"web\", \"off\"); }\n";
    let mut plan = planned(two);
    let PlanNode::Scope(second) = &mut plan.nodes[1] else { panic!("a step") };
    let PlanNode::Call(line) = &mut second.nodes[0] else { panic!("a call") };
    line.symbol = crate::model::Symbol::Destroy;
    let comment = markdown(&plan, &whole, COMMENT);
    let rows: Vec<&str> =
        comment.lines().filter(|line| line.starts_with("| ") && line.contains("maintenance")).collect();
    assert!(rows[0].contains("**destroys**") && rows[0].contains("| Two |"), "{comment}");
    assert!(rows[1].contains("| changes |") && rows[1].contains("| One |"), "{comment}");
}

#[test]
fn a_comment_stays_within_what_fits() {
    let many = "for n in 0..700 { notify(\"incidents\", `Message ${n}, which is one of many that make a plan long`); }\n\
        maintenance(\"web\", \"on\");\n";
    let plan = planned(many);
    let comment = markdown(&plan, &whole, COMMENT);
    assert!(comment.chars().count() <= COMMENT, "{}", comment.chars().count());
    assert!(comment.contains("Left out, because it is too long: every line."), "{comment}");
    assert!(comment.contains("| changes |"), "what it changes is told all the same");
    let short = markdown(&plan, &whole, 600);
    assert!(short.contains("**✓ completes: 1 change**") && short.chars().count() < 900, "{short}");
    assert!(short.contains("what happens if a call ends otherwise"), "{short}");
}

#[test]
fn branches_that_do_the_same_are_one_row() {
    let many = "parallel(0..200, |n| { maintenance(\"web\", \"on\"); });\n";
    let plan = planned(many);
    let comment = markdown(&plan, &whole, COMMENT);
    let rows: Vec<&str> = comment.lines().filter(|line| line.contains("`maintenance`")).collect();
    // The first one looks at what is there; behind it nothing is certain.
    assert!(rows.len() == 2 && !rows[0].contains('×') && rows[1].contains("**× 199**"), "{rows:?}");
    assert!(comment.contains(": 200 changes**"), "{comment}");
}
