//! Pictures and pages of explorations: nothing is lost where something is folded, and no text of a runbook is more than text.
#![expect(clippy::disallowed_methods, reason = "a test prepares the project that it explores")]

use std::collections::{BTreeMap, BTreeSet};

use super::super::html::tests::is_well_formed;
use super::drawing::{Drawing, To, Whole};
use super::forms::is_exploration;
use super::{dot, lcov, mermaid, page};
use crate::model::{
    Ends, Exploration, Gravity, Happening, HappeningKind, ImpactKind, Manner, Mood, PathEnd, PathTree, Site, TreeNode,
    TreeWay,
};
use crate::runtime::{ExploreRequest, Lifeboat};

/// A node: what happens, and where its ways lead; or how it ends.
enum Node<'a> {
    Goes(&'a str, &'a [usize]),
    Ends(Ends, &'a [&'a str]),
}
use Node::{Ends as End, Goes};

/// A tree of these nodes, each of which leads to later ones only.
fn tree(nodes: &[Node]) -> PathTree {
    let mut tree = PathTree { nodes: Vec::new(), ..PathTree::default() };
    let mut paths: BTreeMap<usize, (u64, Gravity)> = BTreeMap::new();
    for (number, node) in nodes.iter().enumerate().rev() {
        let made = match node {
            Goes(text, to) => {
                let site =
                    Site { file: "runbooks/a.rhai".into(), line: u32::try_from(number).expect("few"), column: 1 };
                let kind = HappeningKind::Call(ImpactKind::Look);
                tree.happenings.push(Happening { site, kind, text: (*text).into(), room: None });
                let way = |(n, to): (usize, &usize)| {
                    let case = if n == 0 { "pass" } else { "fail" };
                    let mood = if n == 0 { Mood::Fine } else { Mood::Failed };
                    let manner = Manner { order: u16::try_from(n).expect("few"), case, text: case, mood };
                    TreeWay { happening: tree.happenings.len() - 1, manner, to: *to }
                };
                let ways = to.iter().enumerate().map(way).collect();
                let known = to.iter().map(|to| paths[to]);
                let worst = known.clone().map(|(_, worst)| worst).max().expect("it leads somewhere");
                TreeNode::Fork { paths: known.map(|(paths, _)| paths).sum(), worst, ways }
            }
            End(ends, breaks) => TreeNode::End(PathEnd {
                ends: *ends,
                cancelled: false,
                breaks: breaks.iter().map(|name| (*name).into()).collect(),
                waived: Vec::new(),
            }),
        };
        paths.insert(number, (made.paths(), made.worst()));
        tree.nodes.insert(0, made);
    }
    tree
}

/// The boxes as text: their lines, and where they lead.
fn told(drawing: &Drawing) -> Vec<String> {
    let told = |drawn: &super::drawing::Drawn| {
        let lines: Vec<_> = drawn.lines.iter().map(|(happening, _)| drawing.text(*happening)).collect();
        let arrows = drawn.arrows.iter().map(|arrow| {
            let how: Vec<_> = arrow.manners.iter().map(|manner| manner.text).collect();
            let to = match &arrow.to {
                To::Box(to) => to.to_string(),
                To::End(end) => format!("{:?}", end.ends),
                To::Folded => "…".to_owned(),
            };
            format!("{} {to} {}", how.join("+"), arrow.paths())
        });
        format!("{}: {}", lines.join(" "), arrows.collect::<Vec<_>>().join(", "))
    };
    drawing.boxes.iter().map(told).collect()
}

#[test]
fn what_can_go_only_one_way_is_one_box() {
    let tree = tree(&[
        Goes("a", &[1]),
        Goes("b", &[2, 2]),
        Goes("c", &[3, 4]),
        End(Ends::Well, &[]),
        End(Ends::Restored, &[]),
    ]);
    let drawing = Drawing::of(&Whole::of(&tree), 100);
    assert_eq!(told(&drawing), ["a b c: pass Well 2, fail Restored 2"]);
    assert_eq!((drawing.whole, drawing.shown), (3, 3));
}

#[test]
fn ways_to_the_same_place_are_one_arrow_and_shared_places_one_box() {
    let tree = tree(&[
        Goes("a", &[1, 2, 2]),
        Goes("b", &[3, 4]),
        Goes("c", &[3, 5]),
        Goes("d", &[4, 5]),
        End(Ends::Well, &[]),
        End(Ends::Restored, &[]),
    ]);
    let expected = [
        "a: pass 1 3, fail+fail 2 6",
        "b: pass 3 2, fail Well 1",
        "c: pass 3 4, fail Restored 2",
        "d: pass Well 3, fail Restored 3",
    ];
    assert_eq!(told(&Drawing::of(&Whole::of(&tree), 100)), expected);
}

/// A tree of so many levels, each place of which leads to two others of its own. One path breaks an invariant: always the second way.
fn wide(levels: usize) -> PathTree {
    let first_end = 2_usize.pow(u32::try_from(levels).expect("few")) - 1;
    let names: Vec<String> = (0..first_end).map(|n| format!("place {n}")).collect();
    let ways: Vec<[usize; 2]> = (0..first_end).map(|n| [2 * n + 1, 2 * n + 2]).collect();
    let inner = names.iter().zip(&ways).map(|(name, ways)| Goes(name, ways));
    let last = 2 * first_end;
    let ends = (first_end..=last).map(|n| match n {
        n if n == last => End(Ends::LeftChanged, &["told"]),
        n if n % 2 == 0 => End(Ends::Restored, &[]),
        _ => End(Ends::Well, &[]),
    });
    tree(&inner.chain(ends).collect::<Vec<_>>())
}

#[test]
fn what_is_too_much_is_folded_and_no_path_is_lost() {
    let tree = wide(9);
    for at_most in [0, 1, 20, 50, 200, 511 + 512] {
        let drawing = Drawing::of(&Whole::of(&tree), at_most);
        let over: u64 = drawing
            .boxes
            .iter()
            .flat_map(|drawn| &drawn.arrows)
            .filter(|arrow| !matches!(arrow.to, To::Box(_)))
            .map(super::drawing::Arrow::paths)
            .sum();
        assert_eq!(over, 512, "every path ends in the drawing, or is counted in a fold");
        let broken = |to: &To| matches!(to, To::End(end) if !end.breaks.is_empty());
        assert!(drawing.boxes.iter().flat_map(|drawn| &drawn.arrows).any(|arrow| broken(&arrow.to)), "{at_most}");
        let folds = drawing.boxes.iter().flat_map(|drawn| &drawn.arrows).filter(|arrow| arrow.to == To::Folded).count();
        assert!(drawing.shown + folds <= at_most.max(9 + 2 + 9), "{at_most}: {} and {folds}", drawing.shown);
        assert_eq!(drawing.whole, 511 + 512);
        let marked = drawing.boxes.iter().flat_map(|drawn| &drawn.arrows).filter(|arrow| arrow.marked).count();
        assert_eq!(marked, 9, "the way to the broken invariant");
    }
    assert_eq!(Drawing::of(&Whole::of(&tree), 511 + 512).folded(), 0);
}

#[test]
fn what_lies_near_the_beginning_is_shown_first() {
    let tree = wide(9);
    let drawing = Drawing::of(&Whole::of(&tree), 60);
    let shown: BTreeSet<&str> = drawing.boxes.iter().map(|drawn| drawing.text(drawn.lines[0].0)).collect();
    assert!((0..7).all(|n| shown.contains(format!("place {n}").as_str())), "{shown:?}");
}

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
