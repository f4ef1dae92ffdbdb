//! One comment on a pull request, made once and replaced from then on: `scripts/review-comment` against strict servers of our own.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::branch::{Branch, SAFE};
use crate::contract::Contract;
use crate::http::{Ill, Request, Server};
use crate::support::Project;

/// The comments of a pull request: number, author, text.
type Comments = Arc<Mutex<Vec<(u64, String, String)>>>;

const LIST: &str = "/repos/acme/shop/issues/7/comments";
const JSON: &str = "application/json";

/// GitHub, as far as the script needs it.
fn github(comments: &Comments) -> Server {
    let (comments, contract) = (comments.clone(), Contract::of("github"));
    Server::start(Box::new(move |request: &Request| {
        assert_eq!(request.headers.get("authorization").map(String::as_str), Some("Bearer t0ken"));
        let mut comments = comments.lock().expect("nobody panicked");
        let path = request.path.split('?').next().unwrap_or_default();
        if request.method == "GET" && path == LIST {
            let page: usize = request.path.split("&page=").nth(1).and_then(|page| page.parse().ok()).expect("a page");
            let shown = |(id, login, body): &(u64, String, String)| json!({ "id": id, "user": { "login": login }, "body": body });
            let of_page: Vec<Value> = comments.iter().skip((page - 1) * 100).take(100).map(shown).collect();
            return ("200 OK", JSON, json!(of_page).to_string());
        }
        let body = request.json();
        if let Some(contract) = &contract {
            let refused = contract.refuses_request("/repos/{owner}/{repo}/issues/{issue_number}/comments", &body);
            assert_eq!(refused, Vec::<String>::new());
        }
        let text = body["body"].as_str().expect("a text").to_owned();
        assert!(text.chars().count() <= 65_536, "it is too long");
        let id = path.strip_prefix("/repos/acme/shop/issues/comments/").and_then(|id| id.parse::<u64>().ok());
        match (request.method.as_str(), id) {
            ("POST", None) if path == LIST => {
                let id = comments.len() as u64 + 1;
                comments.push((id, "github-actions[bot]".to_owned(), text));
                ("201 Created", JSON, json!({ "id": id }).to_string())
            }
            ("PATCH", Some(id)) => {
                let one = comments.iter_mut().find(|(known, ..)| *known == id).expect("it is there");
                one.2 = text;
                ("200 OK", JSON, json!({ "id": id }).to_string())
            }
            other => panic!("{other:?} {path}"),
        }
    }))
}

fn branch() -> Project {
    Branch::from(&[("runbooks/restore.rhai", SAFE)])
        .change("runbooks/restore.rhai", &SAFE.replace("given up", "left"))
        .committed()
}

fn commented(project: &Project, more: &[(&str, String)]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_BIN_EXE_lifeboat")).parent().expect("a directory");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("a path"));
    let mut command = Command::new(root.join("scripts/review-comment"));
    command.current_dir(project.path(".")).env("PATH", path).envs([("BASE", "main"), ("HEAD", "feature")]);
    command.env_remove("GITHUB_STEP_SUMMARY").envs(more.iter().map(|(name, value)| (name, value)));
    command.output().expect("it starts")
}

fn on_github(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("GITHUB_API_URL", format!("http://{}", server.address)),
        ("GITHUB_REPOSITORY", "acme/shop".to_owned()),
        ("GITHUB_TOKEN", "t0ken".to_owned()),
        ("PULL_REQUEST", "7".to_owned()),
    ]
}

#[test]
fn it_is_made_once_and_replaced_from_then_on() {
    let marked = "<!-- lifeboat review -->\nsomebody else's".to_owned();
    let mut others: Vec<_> = (1..=120).map(|id| (id, "ada".to_owned(), "LGTM".to_owned())).collect();
    others[5].2.clone_from(&marked);
    let comments = Comments::new(Mutex::new(others));
    let (server, project) = (github(&comments), branch());
    for _ in 0..2 {
        let done = commented(&project, &on_github(&server));
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let found = comments.lock().expect("nobody panicked").clone();
    assert_eq!(found.len(), 121, "one more, and no more");
    assert!(found[120].2.contains("### Lifeboat: 1 runbook"), "{}", found[120].2);
    assert_eq!(found[5].2, marked, "nobody else's comment is replaced");
    let methods: Vec<String> = server.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "GET", "POST", "GET", "GET", "PATCH"]);
}

#[test]
fn a_comment_that_cannot_be_written_is_said_and_the_review_is_there_all_the_same() {
    let comments = Comments::default();
    let server = github(&comments).ill([Ill::Answers("403 Forbidden", "", "{}".to_owned())]);
    let done = commented(&branch(), &on_github(&server));
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(1), "{err}");
    assert!(out.contains("### Lifeboat: 1 runbook") && err.contains("the comment could not be written"), "{out}{err}");
    assert!(!out.contains("t0ken") && !err.contains("t0ken"));
}

#[test]
fn the_exit_code_is_that_of_the_review() {
    let comments = Comments::default();
    let server = github(&comments);
    let project = Branch::from(&[]).change("runbooks/a.rhai", "step \"A\" {").committed();
    assert_eq!(commented(&project, &on_github(&server)).status.code(), Some(65));
    assert_eq!(comments.lock().expect("nobody panicked").len(), 1, "errors are told as well");
}

#[test]
fn what_cannot_be_reviewed_is_said_in_place_of_an_older_comment() {
    let comments = Comments::default();
    let server = github(&comments);
    let mut settings = on_github(&server);
    settings.push(("HEAD", "nowhere".to_owned()));
    let done = commented(&branch(), &settings);
    assert_eq!(done.status.code(), Some(64), "{}", String::from_utf8_lossy(&done.stderr));
    let said = comments.lock().expect("nobody panicked")[0].2.clone();
    assert!(said.contains("### Lifeboat: this branch could not be reviewed"), "{said}");
}

#[test]
fn on_gitlab_it_is_a_note_of_the_merge_request() {
    let notes = "/api/v4/projects/12/merge_requests/3/notes";
    let server = Server::start(Box::new(move |request: &Request| {
        assert_eq!(request.headers.get("private-token").map(String::as_str), Some("t0ken"));
        let path = request.path.split('?').next().unwrap_or_default();
        let old = json!([{ "id": 4, "author": { "username": "reviewer" }, "body": "<!-- lifeboat review -->\nold" }]);
        match (request.method.as_str(), path) {
            ("GET", path) if path == notes => ("200 OK", JSON, old.to_string()),
            ("PUT", path) if path == format!("{notes}/4") => ("200 OK", JSON, "{}".to_owned()),
            other => panic!("{other:?}"),
        }
    }));
    let settings = [
        ("CI_API_V4_URL", format!("http://{}/api/v4", server.address)),
        ("CI_PROJECT_ID", "12".to_owned()),
        ("CI_MERGE_REQUEST_IID", "3".to_owned()),
        ("GITLAB_TOKEN", "t0ken".to_owned()),
        ("COMMENT_AUTHOR", "reviewer".to_owned()),
    ];
    let done = commented(&branch(), &settings);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let last = server.requests().pop().expect("a request");
    assert_eq!(last.method, "PUT");
    assert!(last.json()["body"].as_str().is_some_and(|body| body.contains("### Lifeboat: 1 runbook")));
}
