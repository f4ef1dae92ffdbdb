//! A channel of Slack: its incoming webhooks, and its method `chat.postMessage`, which has threads.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::model::{Applied, Fault, IdempotencyKey};
use crate::primitives::targets::{SlackChannel, SlackWay};
use crate::primitives::{Evidence, Reconciled};
use crate::system::{Act, HttpRequest, HttpResponse, Look, Revealed};

use super::answer::{hidden, one_line, retry_after, revealed, shown};
use super::slack_text::text;
use super::{Channel, Dispatch, MessageKind, Policy, Receipt, Severity, Undelivered};

/// How Slack says that there is no such thread any more.
const NO_THREAD: [&str; 5] =
    ["thread_not_found", "message_not_found", "cannot_reply_to_message", "thread_locked", "invalid_thread_ts"];

/// What `chat.postMessage` answers, with status 200 also when it failed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Posted {
    ok: bool,
    error: String,
    needed: Option<String>,
    channel: String,
    ts: String,
}

impl SlackChannel {
    fn failed(&self, what: impl std::fmt::Display) -> Fault {
        Fault::new("notify-failed", format!("{} was not told: Slack {what}", self.name)).on(&self.name)
    }

    fn hint(&self, hint: &str) -> String {
        format!("{hint} (channel {} in lifeboat.toml)", self.name)
    }

    /// What gives access: the webhook's address, or the token.
    async fn access(&self, look: &Look) -> Result<Revealed, Fault> {
        let (SlackWay::Webhook { url: secret } | SlackWay::Api { token: secret, .. }) = &self.way;
        let failed =
            |fault: Fault| Fault { hint: fault.hint, ..self.failed(format!("needs access: {}", fault.message)) };
        revealed(secret, self.timeout, look).await.map_err(failed)
    }

    async fn send(
        &self,
        access: &str,
        request: &mut HttpRequest,
        body: &Json,
        act: &Act,
    ) -> Result<HttpResponse, Undelivered> {
        request.timeout = self.timeout.0;
        request.body_limit = 64 << 10;
        request.headers.insert("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned());
        let response = act.http(Method::POST, request, Some(body.to_string().into_bytes())).await;
        let response = response.map_err(|error| {
            let message = hidden(&error.message, [access]);
            if error.sent {
                let what = format!("did not answer after it may have got the message: {message}");
                return self.failed(what).applied(Applied::Unknown).hint("see in the channel whether it came");
            }
            self.failed(format!("cannot be reached: {message}")).hint(self.hint("is this machine online?"))
        })?;
        match response.status {
            200..=299 => Ok(response),
            429 => {
                let fault =
                    self.failed("takes no more messages for now").hint(self.hint("`at_most` keeps below its limit"));
                Err(Undelivered { fault, wait: Some(retry_after(&response).unwrap_or(Duration::from_secs(30))) })
            }
            status => Err(self.refused(status, &shown(&response, [access]), retry_after(&response))),
        }
    }

    fn refused(&self, status: u16, said: &str, wait: Option<Duration>) -> Undelivered {
        let fault = match said {
            "" => self.failed(format!("answered {status}")),
            said => self.failed(format!("answered {status}: {said}")),
        };
        let hint = match (status, said) {
            (_, "no_service" | "no_team" | "channel_not_found") | (404, _) => "the webhook was removed: make a new one",
            (_, "channel_is_archived") | (410, _) => "the channel is archived: name another one",
            (_, "action_prohibited") | (401 | 403, _) => "it may not write there: see its settings in Slack",
            (300..=399, _) => "it has moved: correct `url` or `api`",
            (500.., _) => "Slack has a problem of its own: see its status page",
            _ => "it does not take such messages: is `url` or `api` right?",
        };
        // After an error of its own, nobody knows how far it came.
        let applied = if status >= 500 { Applied::Unknown } else { Applied::No };
        Undelivered { fault: fault.hint(self.hint(hint)).applied(applied), wait }
    }

    /// An answer with status 200 that says what failed.
    fn declined(&self, posted: &Posted, wait: Option<Duration>) -> Undelivered {
        let error = one_line(&posted.error, 100);
        let needed = posted.needed.as_ref().map(|scope| format!(" (it needs {})", one_line(scope, 100)));
        let fault = self.failed(format!("said {error}{}", needed.unwrap_or_default()));
        let hint = match posted.error.as_str() {
            "not_in_channel" | "restricted_action" => "invite the bot to the channel",
            "channel_not_found" => "correct `channel`, or invite the bot to it",
            "is_archived" => "the channel is archived: name another one",
            "missing_scope" | "no_permission" => "give the bot the scope `chat:write`",
            "not_authed" | "invalid_auth" | "account_inactive" | "token_revoked" | "token_expired" => {
                "correct `token`: it is not valid, or not any more"
            }
            "ratelimited" => "`at_most` keeps below its limit",
            _ => "see `chat.postMessage` in Slack's documentation",
        };
        // With these, Slack says itself that a part may have been done.
        let applied = match posted.error.as_str() {
            "fatal_error" | "internal_error" | "request_timeout" | "service_unavailable" => Applied::Unknown,
            _ => Applied::No,
        };
        Undelivered { fault: fault.hint(self.hint(hint)).applied(applied), wait }
    }

    async fn by_webhook(&self, dispatch: &Dispatch<'_>, act: &Act) -> Result<Receipt, Undelivered> {
        let url = self.access(act).await?;
        let text = text(dispatch, self.mention.as_deref(), true);
        let body = json!({ "text": text, "unfurl_links": false, "unfurl_media": false });
        self.send(&url, &mut HttpRequest::new(&*url), &body, act).await?;
        Ok(Receipt::new("Slack took it"))
    }

    async fn by_api(
        &self,
        (channel, base): (&str, &str),
        dispatch: &Dispatch<'_>,
        act: &Act,
    ) -> Result<Receipt, Undelivered> {
        let token = self.access(act).await?;
        let mut request = HttpRequest::new(format!("{base}/chat.postMessage"));
        request.headers.insert("Authorization".to_owned(), format!("Bearer {}", &*token));
        let body = body(channel, text(dispatch, self.mention.as_deref(), false), dispatch);
        let response = self.send(&token, &mut request, &body, act).await?;
        let posted: Posted = serde_json::from_slice(&response.body).map_err(|_| {
            let said = shown(&response, [&*token]);
            let fault = self.failed(format!("answered what is not Slack's: {said}")).applied(Applied::Unknown);
            fault.hint(self.hint("does `api` lead to Slack?"))
        })?;
        match posted {
            Posted { ok: true, channel: id, ts, .. } => {
                let detail = if body.get("thread_ts").is_some() { "in its thread" } else { "in the channel" };
                let id = Some(format!("{channel} {ts}")).filter(|_| !ts.is_empty() && !id.is_empty());
                Ok(Receipt { detail: format!("posted {detail}"), id })
            }
            posted => Err(self.declined(&posted, retry_after(&response))),
        }
    }
}

/// What `chat.postMessage` is asked.
fn body(channel: &str, text: String, dispatch: &Dispatch) -> Json {
    let message = dispatch.message;
    let mut body = Map::from_iter([
        ("channel".to_owned(), Json::from(channel)),
        ("text".to_owned(), Json::from(text)),
        ("unfurl_links".to_owned(), Json::from(false)),
        ("unfurl_media".to_owned(), Json::from(false)),
    ]);
    // A thread is in the channel in which it began.
    let root = dispatch.root.and_then(|root| root.split_once(' ')).filter(|(in_channel, _)| *in_channel == channel);
    if let Some((_, ts)) = root {
        body.insert("thread_ts".to_owned(), Json::from(ts));
        // Nobody is called by a reply in a thread: what must be seen is in the channel, too.
        let seen = message.severity == Severity::Critical || message.kind == MessageKind::Resolve;
        body.insert("reply_broadcast".to_owned(), Json::from(seen));
    }
    Json::Object(body)
}

impl Channel for SlackChannel {
    const EVIDENCE: Evidence = Evidence::None("the channel");

    fn name(&self) -> &str {
        &self.name
    }

    /// A plan sends nothing, and Slack has no method that says whether a message could be posted.
    fn obstacle(&self, _: &Look) -> Option<Fault> {
        None
    }

    fn policy(&self) -> Policy {
        self.policy
    }

    async fn deliver(&self, dispatch: &Dispatch<'_>, act: &Act) -> Result<Receipt, Undelivered> {
        match &self.way {
            SlackWay::Webhook { .. } => self.by_webhook(dispatch, act).await,
            SlackWay::Api { channel, base, .. } => {
                let way = (channel.as_str(), base.as_str());
                match self.by_api(way, dispatch, act).await {
                    // Somebody removed its beginning: what is to be said is more important than where.
                    Err(failed) if dispatch.root.is_some() && is_no_thread(&failed) => {
                        self.by_api(way, &Dispatch { root: None, ..*dispatch }, act).await
                    }
                    result => result,
                }
            }
        }
    }

    async fn delivered(&self, _: &Look, _: &IdempotencyKey) -> Reconciled<Receipt> {
        Reconciled::Unknown { why: "Slack cannot be asked whether a message came: look into the channel".to_owned() }
    }
}

fn is_no_thread(failed: &Undelivered) -> bool {
    NO_THREAD.iter().any(|error| failed.fault.message.ends_with(&format!("said {error}")))
}
