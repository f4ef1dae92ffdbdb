//! A server that takes what Slack takes, and nothing else: `chat.postMessage` and incoming webhooks.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::contract::Contract;
use crate::http::{Answer, Ill, Request, Server};

/// The token that opens it.
pub(crate) const TOKEN: &str = "xoxb-0123456789-abcdefghijkl";
/// The path of its incoming webhook.
pub(crate) const WEBHOOK: &str = "/services/T0123456/B0123456/s3cr3tS3cr3t";
/// The channel in which the bot is.
pub(crate) const CHANNEL: &str = "C0123456789";

type IsRight = fn(&Value) -> bool;

/// What a message may say, and of which type; as in the contract, for where that is not at hand.
const FIELDS: [(&str, IsRight); 6] = [
    ("channel", Value::is_string),
    ("text", Value::is_string),
    ("thread_ts", Value::is_string),
    ("reply_broadcast", Value::is_boolean),
    ("unfurl_links", Value::is_boolean),
    ("unfurl_media", Value::is_boolean),
];

/// A message that was posted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Post {
    pub(crate) ts: String,
    pub(crate) text: String,
    pub(crate) thread: Option<String>,
    pub(crate) broadcast: bool,
}

impl Post {
    /// Its first line.
    pub(crate) fn head(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }
}

#[derive(Default)]
struct Channel {
    posts: Mutex<Vec<Post>>,
    mistakes: Mutex<Vec<String>>,
    /// Threads whose first message somebody removed.
    removed: Mutex<Vec<String>>,
}

/// The server. Whoever drops it learns of every mistake that its clients made.
pub(crate) struct Slack {
    server: Server,
    channel: Arc<Channel>,
}

impl Slack {
    pub(crate) fn start() -> Self {
        let channel = Arc::new(Channel::default());
        Self { server: Server::start(answering(channel.clone())), channel }
    }

    /// The next requests meet these.
    pub(crate) fn falls_ill(&self, ills: impl IntoIterator<Item = Ill>) {
        self.server.falls_ill(ills);
    }

    /// Settings of a channel that posts with a token.
    pub(crate) fn by_token(&self, more: &str) -> String {
        let api = format!("http://{}/api", self.server.address);
        format!("driver = \"slack\"\ntoken = \"{TOKEN}\"\nchannel = \"{CHANNEL}\"\napi = \"{api}\"\n{more}")
    }

    /// Settings of a channel that posts to the webhook.
    pub(crate) fn by_webhook(&self, more: &str) -> String {
        format!("driver = \"slack\"\nurl = \"http://{}{WEBHOOK}\"\n{more}", self.server.address)
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.channel.posts.lock().expect("nobody panicked").clone()
    }

    /// The first lines of what was posted.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.posts().iter().map(|post| post.head().to_owned()).collect()
    }

    /// Somebody removes a message.
    pub(crate) fn remove(&self, ts: &str) {
        self.channel.removed.lock().expect("nobody panicked").push(ts.to_owned());
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        let mistakes = std::mem::take(&mut *self.channel.mistakes.lock().expect("nobody panicked"));
        if !std::thread::panicking() {
            assert_eq!(mistakes, [""; 0], "Slack would not have taken these");
        }
    }
}

fn answering(channel: Arc<Channel>) -> Answer {
    let contract = Contract::of("slack");
    Box::new(move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (path, answered) = match request.path.as_str() {
            "/api/chat.postMessage" => ("/chat.postMessage", channel.post_message(request, &body)),
            WEBHOOK => ("/services/{team}/{service}/{secret}", channel.webhook(request, &body)),
            other => ("", ("404 Not Found", "text/plain", format!("no such path: {other}"))),
        };
        let mut mistakes = checked(request, &body);
        match &contract {
            _ if path.is_empty() => mistakes.push(format!("{} is no path of Slack", request.path)),
            Some(contract) => {
                mistakes.extend(contract.refuses_request(path, &body));
                if answered.1 == "application/json" {
                    let answer = serde_json::from_str(&answered.2).expect("our own answer");
                    mistakes.extend(contract.refuses_answer(path, "200", &answer));
                }
            }
            None => {}
        }
        channel.mistakes.lock().expect("nobody panicked").extend(mistakes);
        answered
    })
}

/// What is wrong with a request, whatever its path.
fn checked(request: &Request, body: &Value) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut expect = |right: bool, what: String| mistakes.extend(Some(what).filter(|_| !right));
    let kind = request.headers.get("content-type").map(String::as_str);
    expect(request.method == "POST", format!("method {}", request.method));
    expect(kind == Some("application/json; charset=utf-8"), format!("content type {kind:?}"));
    let text = body["text"].as_str().unwrap_or_default();
    expect(!text.is_empty() && text.chars().count() <= 4000, format!("a text of {} characters", text.chars().count()));
    for (name, value) in body.as_object().into_iter().flatten() {
        let known = FIELDS.iter().find(|(field, _)| field == name);
        expect(known.is_some_and(|(_, is_right)| is_right(value)), format!("field {name}: {value}"));
    }
    mistakes
}

impl Channel {
    fn add(&self, body: &Value) -> String {
        let mut posts = self.posts.lock().expect("nobody panicked");
        let ts = format!("1503435956.{:06}", posts.len() + 247);
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        posts.push(Post {
            ts: ts.clone(),
            text: text("text").unwrap_or_default(),
            thread: text("thread_ts"),
            broadcast: body["reply_broadcast"] == true,
        });
        ts
    }

    /// Status 200 for success and failure.
    fn post_message(&self, request: &Request, body: &Value) -> (&'static str, &'static str, String) {
        let error = |error: &str| ("200 OK", "application/json", json!({ "ok": false, "error": error }).to_string());
        if request.headers.get("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return error("invalid_auth");
        }
        if body["channel"] != CHANNEL {
            return error("channel_not_found");
        }
        if let Some(thread) = body["thread_ts"].as_str() {
            let removed = self.removed.lock().expect("nobody panicked").iter().any(|ts| ts == thread);
            let begun =
                self.posts.lock().expect("nobody panicked").iter().any(|p| p.ts == thread && p.thread.is_none());
            if removed || !begun {
                return error("thread_not_found");
            }
        }
        let ts = self.add(body);
        let message = json!({ "type": "message", "text": body["text"], "ts": ts, "bot_id": "B1" });
        let answer = json!({ "ok": true, "channel": CHANNEL, "ts": ts, "message": message });
        ("200 OK", "application/json", answer.to_string())
    }

    /// The address is what gives access; nothing but `ok` comes back.
    fn webhook(&self, request: &Request, body: &Value) -> (&'static str, &'static str, String) {
        if request.headers.contains_key("authorization") {
            self.mistakes.lock().expect("nobody panicked").push("a webhook needs no token".to_owned());
        }
        if !body.is_object() {
            return ("400 Bad Request", "text/plain", "invalid_payload".to_owned());
        }
        self.add(body);
        ("200 OK", "text/plain", "ok".to_owned())
    }
}
