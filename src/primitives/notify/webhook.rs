//! A channel that is an address to which messages are posted.

use reqwest::Method;

use crate::model::{Applied, Fault, IdempotencyKey, SecretText};
use crate::primitives::targets::WebhookChannel;
use crate::primitives::{Evidence, Reconciled};
use crate::system::{Act, HttpError, HttpRequest, HttpResponse, Look, Revealed};

use super::answer::{hidden, retry_after, revealed, shown};
use super::webhook_signature;
use super::{Channel, Dispatch, Policy, Receipt, Undelivered};

/// The settings with what they stand for, for as long as one message takes.
struct Access {
    url: Revealed,
    headers: Vec<(String, Revealed)>,
    signature_key: Option<Revealed>,
}

impl Access {
    fn words(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter().map(|(_, value)| &**value);
        [&*self.url].into_iter().chain(headers).chain(self.signature_key.as_deref())
    }
}

impl WebhookChannel {
    fn failed(&self, what: impl std::fmt::Display) -> Fault {
        Fault::new("notify-failed", format!("{} was not told: the webhook {what}", self.name)).on(&self.name)
    }

    async fn access(&self, look: &Look) -> Result<Access, Fault> {
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            headers.push((name.clone(), self.revealed(value, look).await?));
        }
        let signature_key = match &self.signature_key {
            Some(key) => Some(self.revealed(key, look).await?),
            None => None,
        };
        Ok(Access { url: self.revealed(&self.url, look).await?, headers, signature_key })
    }

    async fn revealed(&self, text: &SecretText, look: &Look) -> Result<Revealed, Fault> {
        let failed =
            |fault: Fault| Fault { hint: fault.hint, ..self.failed(format!("has no access: {}", fault.message)) };
        revealed(text, self.timeout, look).await.map_err(failed)
    }

    fn request(&self, access: &Access, dispatch: &Dispatch, body: &[u8]) -> Result<HttpRequest, Fault> {
        let mut request = HttpRequest::new(&*access.url);
        request.timeout = self.timeout.0;
        // Only a refusal's beginning is of interest.
        request.body_limit = 8 << 10;
        let key = &dispatch.message.idempotency_key;
        let mut own = vec![("Idempotency-Key".to_owned(), key.to_string())];
        if let Some(secret) = &access.signature_key {
            let signed = webhook_signature::headers(secret, key, dispatch.now, body);
            own.extend(signed.map_err(|why| {
                let hint = "write it as `whsec_` and Base64, or as any other text";
                self.failed(format!("has a `signature_key` that cannot be used: {why}")).hint(hint)
            })?);
        }
        let is_own = |name: &str| own.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let given = access.headers.iter().filter(|(name, _)| !is_own(name));
        request.headers = given.map(|(name, value)| (name.clone(), value.to_string())).collect();
        request.headers.extend(own);
        if !request.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
            request.headers.insert("Content-Type".to_owned(), "application/json".to_owned());
        }
        Ok(request)
    }

    fn refused(&self, response: &HttpResponse, access: &Access) -> Undelivered {
        let fault = match shown(response, access.words()).as_str() {
            "" => self.failed(format!("answered {}", response.status)),
            body => self.failed(format!("answered {}: {body}", response.status)),
        };
        let hint = match response.status {
            300..=399 => "it has moved: correct `url`",
            401 | 403 => "its credentials are refused: correct `url`, `headers` or `signature_key`",
            404 | 410 => "it is not there: correct `url`",
            429 => "it takes no more messages for now",
            500.. => "the receiving system has a problem of its own",
            _ => "it does not take such messages: is `url` right?",
        };
        let fault = fault.hint(format!("{hint} (channel {} in lifeboat.toml)", self.name));
        Undelivered { fault, wait: retry_after(response) }
    }

    fn unanswered(&self, error: &HttpError, access: &Access) -> Fault {
        let message = hidden(&error.message, access.words());
        if error.sent {
            let what = format!("did not answer after it may have got the message: {message}");
            return self.failed(what).applied(Applied::Unknown).hint("see in the receiving system whether it came");
        }
        let hint = format!("does the receiving system run, and is `url` of channel {} right?", self.name);
        self.failed(format!("cannot be reached: {message}")).hint(hint)
    }
}

impl Channel for WebhookChannel {
    const EVIDENCE: Evidence = Evidence::None("the receiving system, which got the header `Idempotency-Key`");

    fn name(&self) -> &str {
        &self.name
    }

    /// A plan sends nothing, and a GET says nothing about an address that takes POSTs.
    fn obstacle(&self, _: &Look) -> Option<Fault> {
        None
    }

    fn policy(&self) -> Policy {
        self.policy
    }

    async fn deliver(&self, dispatch: &Dispatch<'_>, act: &Act) -> Result<Receipt, Undelivered> {
        let access = self.access(act).await?;
        let body = dispatch.message.for_systems();
        let request = self.request(&access, dispatch, &body)?;
        match act.http(Method::POST, &request, Some(body)).await {
            Ok(response) if (200..300).contains(&response.status) => {
                Ok(Receipt::new(format!("the webhook answered {}", response.status)))
            }
            Ok(response) => Err(self.refused(&response, &access)),
            Err(error) => Err(self.unanswered(&error, &access).into()),
        }
    }

    async fn delivered(&self, _: &Look, key: &IdempotencyKey) -> Reconciled<Receipt> {
        let why = format!("a webhook cannot be asked what it got: look for {key} in the receiving system");
        Reconciled::Unknown { why }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, mpsc};
    use std::thread;

    use super::super::answer::SHOWN;
    use super::super::message::example;
    use super::*;
    use crate::model::Span;
    use crate::system::System;

    /// A server that takes one request and gives one answer, or holds its tongue until the client has gone.
    struct Receiver {
        url: String,
        request: mpsc::Receiver<(String, BTreeMap<String, String>, Vec<u8>)>,
    }

    fn receiver(answer: Option<String>) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hooks/T0K3N-in-path", listener.local_addr().expect("an address"));
        let (sender, request) = mpsc::channel();
        thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            let mut reader = BufReader::new(stream);
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a line");
                match line.trim_end() {
                    "" => break,
                    line => lines.push(line.to_owned()),
                }
            }
            let header = |line: &String| line.split_once(": ").map(|(n, v)| (n.to_lowercase(), v.to_owned()));
            let headers: BTreeMap<_, _> = lines[1..].iter().filter_map(header).collect();
            let mut body = vec![0; headers["content-length"].parse().expect("a length")];
            reader.read_exact(&mut body).expect("a body");
            sender.send((lines[0].clone(), headers, body)).expect("the test listens");
            match answer {
                Some(answer) => reader.get_mut().write_all(answer.as_bytes()).expect("answers"),
                None => drop(reader.read_to_end(&mut Vec::new())),
            }
        });
        Receiver { url, request }
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }

    fn channel(url: &str, timeout: Span) -> (WebhookChannel, Act) {
        let headers = BTreeMap::from([("Authorization".to_owned(), "Bearer abc123xyz".into())]);
        let act = Act::grant(&Look::new(Arc::new(System::new(std::env::temp_dir()))));
        let (name, url, policy) = ("incidents".to_owned(), url.into(), Policy::default());
        (WebhookChannel { name, url, headers, signature_key: None, timeout, policy }, act)
    }

    #[tokio::test]
    async fn a_message_is_posted_as_json_with_its_key() {
        let receiver = receiver(Some(answer("202 Accepted", "")));
        let (channel, act) = channel(&receiver.url, Span::from_secs(30));
        let delivered = channel.deliver(&Dispatch::first(&example(4)), &act).await;
        assert_eq!(delivered, Ok(Receipt::new("the webhook answered 202")));
        let (line, headers, body) = receiver.request.recv().expect("a request");
        assert_eq!(line, "POST /hooks/T0K3N-in-path HTTP/1.1");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["idempotency-key"], "run/4");
        assert_eq!(headers["authorization"], "Bearer abc123xyz");
        assert_eq!(body, example(4).for_systems());
    }

    #[tokio::test]
    async fn a_refusal_is_a_fault_with_the_status_and_the_beginning_of_the_body() {
        let body = format!("oops\n{}", "é".repeat(300));
        let receiver = receiver(Some(answer("500 Internal Server Error", &body)));
        let (channel, act) = channel(&receiver.url, Span::from_secs(30));
        let fault = channel.deliver(&Dispatch::first(&example(0)), &act).await.expect_err("it was refused").fault;
        assert_eq!((fault.code.as_str(), fault.applied), ("notify-failed", Applied::No));
        let shown = fault.message.strip_prefix("incidents was not told: the webhook answered 500: ");
        let shown = shown.unwrap_or_else(|| panic!("{}", fault.message));
        assert!(shown.starts_with(r"oops\né"), "{shown}");
        assert_eq!(shown.chars().count(), SHOWN);
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let receiver = receiver(Some(answer("302 Found\r\nlocation: http://127.0.0.1:1/", "")));
        let (channel, act) = channel(&receiver.url, Span::from_secs(30));
        let fault = channel.deliver(&Dispatch::first(&example(0)), &act).await.expect_err("it has moved").fault;
        assert_eq!(fault.message, "incidents was not told: the webhook answered 302");
        assert!(fault.hint.expect("it says what to do").contains("correct `url` (channel incidents"));
    }

    #[tokio::test]
    async fn what_gives_access_is_hidden_when_a_server_echoes_it() {
        let echo = "no POST /hooks/T0K3N-in-path for `Bearer abc123xyz`, that is abc123xyz or T0K3N-in-path";
        let receiver = receiver(Some(answer("404 Not Found", echo)));
        let (channel, act) = channel(&receiver.url, Span::from_secs(30));
        let fault = channel.deliver(&Dispatch::first(&example(0)), &act).await.expect_err("it is not there").fault;
        assert!(!fault.message.contains("T0K3N") && !fault.message.contains("abc123"), "{}", fault.message);
        assert!(fault.message.ends_with("for `[hidden]`, that is [hidden] or [hidden]"), "{}", fault.message);
    }

    #[tokio::test]
    async fn a_refused_connection_means_that_nothing_was_sent() {
        let closed =
            TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port that is closed again");
        let (channel, act) = channel(&format!("http://{closed}/hook"), Span::from_secs(30));
        let fault = channel.deliver(&Dispatch::first(&example(0)), &act).await.expect_err("nobody is there").fault;
        assert_eq!(fault.applied, Applied::No);
        assert!(fault.message.contains("cannot be reached: connection refused"), "{}", fault.message);
    }

    #[tokio::test]
    async fn a_slow_answer_leaves_it_unknown_whether_the_message_came() {
        let receiver = receiver(None);
        let (channel, act) = channel(&receiver.url, Span::from_millis(300));
        let fault = channel.deliver(&Dispatch::first(&example(7)), &act).await.expect_err("it does not answer").fault;
        assert_eq!(fault.applied, Applied::Unknown);
        assert!(fault.message.contains("may have got the message: timed out"), "{}", fault.message);
        let Reconciled::Unknown { why } = channel.delivered(&act, &example(7).idempotency_key).await else {
            panic!("a webhook cannot be asked")
        };
        assert!(why.contains("look for run/7"), "{why}");
    }
}
