//! Pictures and pages of explorations: nothing is lost where something is folded, and no text of a runbook is more than text.
#![expect(clippy::disallowed_methods, reason = "a test prepares the project that it explores")]

mod drawings;

use std::collections::BTreeSet;

use super::super::html::tests::is_well_formed;
use super::forms::is_exploration;
use super::{dot, lcov, mermaid, page};
use crate::model::{Ends, Exploration, PathTree};
use crate::runtime::{ExploreRequest, Lifeboat};
use drawings::{Node, tree, wide};

#[test]
fn a_flowchart_stays_within_what_github_draws() {
    let exploration = explored("log(\"here\");");
    let tree = wide(11);
    let chart = mermaid::mermaid(&exploration, &tree, 100_000);
    assert!(chart.chars().count() < 50_000, "{}", chart.len());
    assert!(arrows(&chart) <= 500, "{}", arrows(&chart));
    assert!(arrows(&chart) > 250, "it shows as much as it can: {}", arrows(&chart));
    assert!(chart.contains("more nodes are folded: GitHub draws no more"), "{chart}");
    is_a_flowchart(&chart);
}

fn arrows(chart: &str) -> usize {
    chart.lines().filter(|line| ["-->", "-.->", "==>"].iter().any(|arrow| line.contains(arrow))).count()
}

const CONFIG: &str = "default = \"test\"\n[environments.test.services.web]\ndriver = \"http\"\nurl = \"http://127.0.0.1:9/\"\n\
    maintenance_file = \"maintenance\"\n[environments.test.channels.incidents]\ndriver = \"file\"\npath = \"incidents.jsonl\"\n";

/// Explores a runbook with its tree.
fn explored(runbook: &str) -> Exploration {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("lifeboat.toml"), CONFIG).expect("writes");
    std::fs::write(dir.path().join("a.rhai"), runbook).expect("writes");
    let lifeboat = Lifeboat::builder(dir.path().join("lifeboat.toml")).build().expect("it is configured");
    let request = ExploreRequest { tree: true, ..ExploreRequest::new(dir.path().join("a.rhai")) };
    lifeboat.explore(&request).expect("it can be explored")
}

/// A runbook whose texts are everything that could be more than text somewhere.
fn hostile() -> Exploration {
    explored(
        "//! </title><script>alert(1)</script> \"quoted\" {braces} #35; %%{init}%% ; end\n\
         //! waive: told: <b>nobody</b> & co\n\
         param why: string = \"'\\\"><img src=x onerror=alert(1)>\";\n\
         step \"end]] --> n0[\\\"x\\\"] <script> \\\\N `code` **bold** | 1. list | http://a.example @x\" {\n\
         \x20   maintenance(\"web\", \"on\"); // </code></table><script>\n\
         \x20   notify(\"incidents\", `1. ${why}\\n- list #quot; &lt; \u{202E}evil\\u{7}`);\n\
         } rollback {\n\
         \x20   maintenance(\"web\", \"off\");\n\
         }\n\
         if probe(\"web\").latency_ms > 5 { confirm(\"www.example.com style: a#b; }; end\"); }\n",
    )
}

#[test]
fn a_page_is_well_formed_whatever_a_runbook_says() {
    for exploration in [hostile(), explored("log(\"here\");"), explored("let x = 1;"), explored("let x = [1][7];")] {
        let tree = exploration.tree.as_ref().expect("it was asked for");
        let page = page::page(&exploration, tree, 400);
        is_well_formed(&page);
        is_well_formed(&page::page(&exploration, tree, 1));
    }
}

#[test]
fn a_page_says_what_the_exploration_found() {
    let exploration = hostile();
    let page = page::page(&exploration, exploration.tree.as_ref().expect("it was asked for"), 400);
    let counts = exploration.paths;
    assert!(page.contains(&format!("{} paths: {} to the end", counts.all, counts.well)), "{page}");
    assert!(page.contains("waived on") && page.contains("&lt;b&gt;nobody&lt;/b&gt;"), "the reason of the waiver");
    assert!(page.contains("step end]] --&gt; n0"), "the title of the step");
    let linked: BTreeSet<&str> = page.split("<a ").skip(1).collect();
    assert!(linked.len() > 10, "stories and boxes link to lines");
}

#[test]
fn what_was_printed_is_known_for_an_exploration() {
    for exploration in [hostile(), explored("let x = 1;")] {
        let tree = exploration.tree.as_ref().expect("it was asked for");
        let json = serde_json::to_string(&exploration).expect("it is one document");
        let (chart, graph) = (mermaid::mermaid(&exploration, tree, 400), dot::dot(&exploration, tree, 400));
        for form in [json, chart, graph, page::page(&exploration, tree, 400), lcov::lcov(&exploration)] {
            assert!(is_exploration(&form), "{form}");
        }
    }
}

#[test]
fn whatever_was_cut_short_says_so() {
    let bounds = vec![crate::model::Bound::Paths { at_most: 1 }];
    let exploration = Exploration { bounds, ..explored("log(\"here\");") };
    let tree = exploration.tree.as_ref().expect("it was asked for");
    let said = "1 path: 1 to the end, no invariant broken, NOT ALL WALKED";
    assert!(page::page(&exploration, tree, 400).contains(&format!("✗ {said}")));
    assert!(
        mermaid::mermaid(&exploration, tree, 400).contains(said) && dot::dot(&exploration, tree, 400).contains(said)
    );
}

#[test]
fn a_flowchart_is_one_whatever_a_runbook_says() {
    for exploration in [hostile(), explored("log(\"here\");"), explored("let x = 1;")] {
        let tree = exploration.tree.as_ref().expect("it was asked for");
        is_a_flowchart(&mermaid::mermaid(&exploration, tree, 400));
    }
}

#[test]
fn the_place_of_a_run_is_marked_in_every_picture() {
    let nodes = [
        Node::Goes("a", &[1]),
        Node::Goes("b", &[2, 3]),
        Node::Ends(Ends::Well, &[]),
        Node::Ends(Ends::LeftChanged, &[]),
    ];
    let (tree, exploration) = (PathTree { here: Some(1), ..tree(&nodes) }, hostile());
    let chart = mermaid::mermaid(&exploration, &tree, 100);
    is_a_flowchart(&chart);
    assert!(chart.contains("▶ here: 2 ways on, 1 of them bad<br>b\"]:::here"), "{chart}");
    let graph = dot::dot(&exploration, &tree, 100);
    is_a_graph(&graph);
    assert!(graph.contains("▶ here: 2 ways on, 1 of them bad"), "{graph}");
    let page = page::page(&exploration, &tree, 100);
    is_well_formed(&page);
    assert!(page.contains("class=\"here\""), "{page}");
}

#[test]
fn a_graph_is_one_whatever_a_runbook_says() {
    for exploration in [hostile(), explored("log(\"here\");"), explored("let x = 1;")] {
        let tree = exploration.tree.as_ref().expect("it was asked for");
        is_a_graph(&dot::dot(&exploration, tree, 400));
    }
}

#[test]
fn a_tracefile_adds_up() {
    let text = lcov::lcov(&hostile());
    let field = |name: &str| -> Vec<&str> { text.lines().filter_map(|line| line.strip_prefix(name)).collect() };
    assert_eq!((field("SF:"), text.lines().last()), (vec!["a.rhai"], Some("end_of_record")));
    let lines = field("DA:");
    let hit = lines.iter().filter(|line| !line.ends_with(",0")).count();
    assert_eq!((field("LF:"), field("LH:")), (vec![lines.len().to_string().as_str()], vec![hit.to_string().as_str()]));
    let branches = field("BRDA:");
    let taken = branches.iter().filter(|branch| !branch.ends_with(",0") && !branch.ends_with(",-")).count();
    assert_eq!(
        (field("BRF:"), field("BRH:")),
        (vec![branches.len().to_string().as_str()], vec![taken.to_string().as_str()])
    );
    assert!(branches.len() > 15, "{text}");
}

/// Whether a text is a flowchart of the kind that we write: every line is one that Mermaid knows, and no label ends early.
#[track_caller]
fn is_a_flowchart(chart: &str) {
    let lines: Vec<&str> = chart.lines().collect();
    assert!(lines[0] == "---" && lines[1].starts_with("title: \"") && lines[2] == "---" && lines[3] == "flowchart TD");
    let (mut depth, mut known, mut used) = (0, BTreeSet::from(["start".to_owned()]), BTreeSet::new());
    for line in lines[4..].iter().map(|line| line.trim()) {
        let bare = without_labels(line);
        let words: Vec<&str> = bare.split_whitespace().collect();
        match words[..] {
            ["end"] => depth -= 1,
            ["subgraph", room] => {
                assert!(room.starts_with('r') && room.ends_with("[]"), "{line}");
                depth += 1;
            }
            ["accTitle:" | "accDescr:" | "classDef" | "class", ..] => {}
            [node] => drop(known.insert(name(node))),
            [from, "-->" | "-.->" | "==>" | "-->||" | "-.->||" | "==>||", to] => {
                used.insert(name(from));
                used.insert(name(to));
                if to.contains(['[', '(', '>', '{']) {
                    known.insert(name(to));
                }
            }
            _ => panic!("{line}\n{bare}"),
        }
    }
    assert_eq!(depth, 0);
    assert!(used.is_subset(&known), "{:?}", used.difference(&known));
}

/// The name of a node without its shape, which must be one that we use.
#[track_caller]
fn name(node: &str) -> String {
    let (node, class) = node.split_once(":::").unwrap_or((node, ""));
    assert!(class.chars().all(|c| c.is_ascii_alphabetic()), "{node}");
    let at = node.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(node.len());
    let shapes = ["", "[]", "{{}}", "(())", "([])", "()", "[//]", "[\\/]", ">]", "[[]]"];
    assert!(shapes.contains(&&node[at..]), "{node}");
    node[..at].to_owned()
}

/// A line without what stands between quotes, which may be nothing but text.
#[track_caller]
fn without_labels(line: &str) -> String {
    let parts: Vec<&str> = line.split('"').collect();
    assert_eq!(parts.len() % 2, 1, "a quote is not closed: {line}");
    if line.starts_with("acc") || line.starts_with("classDef") {
        assert!(!line.contains(['{', '}', ';', '"', '%']), "{line}");
        return line.to_owned();
    }
    for label in parts.iter().skip(1).step_by(2) {
        for piece in label.split("<br>") {
            let numbers = piece.split('#').skip(1).map(|rest| rest.split_once(';').map(|(number, _)| number));
            assert!(numbers.clone().all(|number| number.is_some_and(|n| n.parse::<u32>().is_ok())), "{piece}");
            assert!(!piece.contains(['<', '>', '&', '`', '*', '[', ']', '{', '}', '|', '\\', '@', '%']), "{piece}");
            assert!(!piece.contains("//") && !piece.starts_with(['-', '+', '=']), "{piece}");
            let digits = piece.trim_start_matches(|c: char| c.is_ascii_digit());
            assert!(digits.len() == piece.len() || !digits.starts_with(['.', ')']), "{piece}");
            assert!(!piece.chars().any(char::is_control), "{piece:?}");
        }
    }
    parts.iter().step_by(2).copied().collect()
}

/// Whether a text is a graph of the kind that we write, line by line.
#[track_caller]
fn is_a_graph(graph: &str) {
    let (mut depth, mut known, mut used) = (0_i32, BTreeSet::new(), BTreeSet::new());
    for line in graph.lines().map(str::trim) {
        let mut bare = String::new();
        let (mut quoted, mut escaped) = (false, false);
        for c in line.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                c if !quoted => bare.push(c),
                c => assert!(!c.is_control(), "{line}"),
            }
        }
        assert!(!quoted && !escaped, "a quote is not closed: {line}");
        depth += i32::from(bare.ends_with('{')) - i32::from(bare == "}");
        let (statement, attributes) = bare.split_once(" [").unwrap_or((&bare, "]"));
        assert!(
            attributes.ends_with(']') && !attributes.trim_end_matches(']').contains(['[', ']', '{', '}']),
            "{line}"
        );
        match statement.split(' ').collect::<Vec<_>>()[..] {
            ["}" | "graph" | "node" | "edge"] | ["digraph", "paths", "{"] => {}
            ["subgraph", room, "{"] => assert!(room.starts_with("cluster_"), "{line}"),
            [node] => drop(known.insert(node.to_owned())),
            [from, "->", to] => used.extend([from.to_owned(), to.to_owned()]),
            _ => panic!("{line}"),
        }
    }
    assert_eq!(depth, 0);
    assert!(used.is_subset(&known), "{:?}", used.difference(&known));
}
