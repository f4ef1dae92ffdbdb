//! A channel that is a file: one message a line, as JSON.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;

use crate::model::{Applied, Fault, IdempotencyKey};
use crate::primitives::targets::FileChannel;
use crate::primitives::{Evidence, Reconciled};
use crate::system::{Act, Look};

use super::{Channel, Dispatch, Receipt, Undelivered};

impl FileChannel {
    fn failed(&self, what: impl std::fmt::Display) -> Fault {
        Fault::new("notify-failed", format!("{} was not told: {what}", self.name))
            .on(&self.name)
            .hint(format!("see `path` of channel {} in lifeboat.toml", self.name))
    }

    fn directory(&self) -> Option<&Path> {
        self.path.parent().filter(|p| !p.as_os_str().is_empty())
    }

    /// Whether a whole line of the file has this key. The file is read line by line: it may have grown large.
    fn has(&self, key: &IdempotencyKey, look: &Look) -> io::Result<bool> {
        #[derive(Deserialize)]
        struct Line {
            idempotency_key: IdempotencyKey,
        }
        let mut file = match look.open(&self.path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 {
            if serde_json::from_slice::<Line>(&line).is_ok_and(|line| line.idempotency_key == *key) {
                return Ok(true);
            }
            line.clear();
        }
        Ok(false)
    }

    /// A crash can leave a line without its end; what is added next must not become a part of it.
    fn ends_inside_a_line(&self, look: &Look) -> io::Result<bool> {
        let mut file = match look.open(&self.path) {
            Ok(file) if !file.is_empty()? => file,
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }
}

impl Channel for FileChannel {
    const EVIDENCE: Evidence = Evidence::Found("the line of the file that holds the idempotency key");

    fn name(&self) -> &str {
        &self.name
    }

    fn obstacle(&self, look: &Look) -> Option<Fault> {
        let is_directory = |path: &Path| look.list(path).is_ok();
        if is_directory(&self.path) {
            return Some(self.failed(format!("{} is a directory", self.path.display())));
        }
        // The nearest thing above it that exists: what is missing below is made.
        let above = self.path.ancestors().skip(1).find(|path| look.exists(path))?;
        (!is_directory(above)).then(|| self.failed(format!("{} is no directory that can be read", above.display())))
    }

    async fn deliver(&self, dispatch: &Dispatch<'_>, act: &Act) -> Result<Receipt, Undelivered> {
        let message = dispatch.message;
        let shown = self.path.display();
        let before = |error| self.failed(format!("cannot open {shown}: {error}"));
        if self.has(&message.idempotency_key, act).map_err(before)? {
            return Ok(Receipt::new(format!("already in {shown}")));
        }
        let mut line = if self.ends_inside_a_line(act).map_err(before)? { b"\n".to_vec() } else { Vec::new() };
        line.extend(message.for_systems());
        line.push(b'\n');
        let new = !act.exists(&self.path);
        if let Some(directory) = self.directory() {
            act.create_dir_all(directory).map_err(before)?;
        }
        let added = act.append(&self.path, &line).and_then(|()| match self.directory().filter(|_| new) {
            Some(directory) => act.sync_directory(directory),
            None => Ok(()),
        });
        // A write that failed may have left the whole line or a part of it: the file itself will tell.
        added.map_err(|error| self.failed(format!("cannot add to {shown}: {error}")).applied(Applied::Unknown))?;
        Ok(Receipt::new(format!("added to {shown}")))
    }

    async fn delivered(&self, look: &Look, key: &IdempotencyKey) -> Reconciled<Receipt> {
        let shown = self.path.display();
        match self.has(key, look) {
            Ok(true) => Reconciled::Applied {
                output: Receipt::new(format!("added to {shown}")),
                evidence: format!("{shown} has a line with the key {key}"),
            },
            Ok(false) => Reconciled::NotApplied { evidence: format!("no line of {shown} has the key {key}") },
            Err(error) => Reconciled::Unknown { why: format!("cannot read {shown}: {error}") },
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the files that the driver meets")]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::super::Message;
    use super::super::message::example;
    use super::*;
    use crate::system::System;

    fn channel(path: &Path) -> (FileChannel, Act) {
        let act = Act::grant(&Look::new(Arc::new(System::new(std::env::temp_dir()))));
        (FileChannel { name: "log".to_owned(), path: path.to_owned() }, act)
    }

    fn messages(path: &Path) -> Vec<String> {
        let text = fs::read_to_string(path).expect("reads");
        assert!(text.ends_with('\n'));
        let key = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).ok()?["idempotency_key"].as_str().map(str::to_owned)
        };
        text.lines().map(|line| key(line).unwrap_or_else(|| format!("torn: {line}"))).collect()
    }

    #[tokio::test]
    async fn messages_are_added_one_a_line() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("made/for/it/messages.jsonl");
        let (channel, act) = channel(&path);
        assert_eq!(channel.obstacle(&act), None, "directories that are missing are made");
        for call in 0..3 {
            let detail = channel.deliver(&Dispatch::first(&example(call)), &act).await.expect("delivers").detail;
            assert!(detail.starts_with("added to "), "{detail}");
        }
        assert_eq!(messages(&path), ["run/0", "run/1", "run/2"]);
        let first = fs::read(&path).expect("reads").split(|b| *b == b'\n').next().map(<[u8]>::to_vec);
        assert_eq!(first, Some(example(0).for_systems()));
    }

    #[tokio::test]
    async fn a_second_attempt_adds_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("messages.jsonl");
        let (channel, act) = channel(&path);
        let (first, later) = (example(0), Message { at: jiff::Timestamp::UNIX_EPOCH, ..example(0) });
        channel.deliver(&Dispatch::first(&first), &act).await.expect("delivers");
        let detail = channel.deliver(&Dispatch::first(&later), &act).await.expect("finds it").detail;
        assert!(detail.starts_with("already in "), "{detail}");
        assert_eq!(messages(&path), ["run/0"]);
    }

    #[tokio::test]
    async fn a_line_torn_by_a_crash_is_left_alone_and_counts_as_undelivered() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("messages.jsonl");
        let whole = example(0).for_systems();
        fs::write(&path, &whole[..whole.len() - 1]).expect("as a crash left it");
        let (channel, act) = channel(&path);
        let key = example(0).idempotency_key;
        assert!(matches!(channel.delivered(&act, &key).await, Reconciled::NotApplied { .. }));
        channel.deliver(&Dispatch::first(&example(0)), &act).await.expect("delivers");
        assert_eq!(messages(&path).len(), 2);
        assert_eq!(messages(&path)[1], "run/0");
        assert!(matches!(channel.delivered(&act, &key).await, Reconciled::Applied { .. }));
    }

    #[tokio::test]
    async fn a_key_inside_a_text_is_no_evidence() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("messages.jsonl");
        let (channel, act) = channel(&path);
        let message = Message { message: r#"{"idempotency_key":"run/0"}"#.to_owned(), ..example(1) };
        channel.deliver(&Dispatch::first(&message), &act).await.expect("delivers");
        let found = channel.delivered(&act, &example(0).idempotency_key).await;
        assert!(matches!(found, Reconciled::NotApplied { .. }));
    }

    #[tokio::test]
    async fn a_path_that_cannot_take_messages_is_a_fault_and_foreseen() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("plain"), "").expect("writes");
        for path in [dir.path().to_owned(), dir.path().join("plain/messages.jsonl")] {
            let (channel, act) = channel(&path);
            let foreseen = channel.obstacle(&act).expect("it cannot work");
            let fault = channel.deliver(&Dispatch::first(&example(0)), &act).await.expect_err("it does not work").fault;
            assert_eq!((fault.code.as_str(), fault.applied), ("notify-failed", Applied::No));
            assert_eq!((foreseen.code, foreseen.target.as_deref()), (fault.code, Some("log")));
        }
    }
}
