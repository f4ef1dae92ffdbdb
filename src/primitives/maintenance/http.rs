//! `maintenance` of a service that watches a file: `on` in it closes the service.
//!
//! Beside that file, `.NAME.previous` keeps the state before the latest change. It is written first, so that a call whose answer
//! was lost in a crash still gives the state to which a rollback must return.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{Applied, Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::targets::HttpService;
use crate::primitives::{Driver, Evidence, Preview, Reconciled};
use crate::system::{Act, Look};

use super::{Args, Maintenance, State};

/// What `.NAME.previous` holds.
#[derive(Debug, Serialize, Deserialize)]
struct Previous {
    idempotency_key: IdempotencyKey,
    previous: State,
}

impl Previous {
    fn path(file: &Path) -> PathBuf {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        file.with_file_name(format!(".{name}.previous"))
    }

    /// What was kept by an earlier attempt of the same call. Anything else in the file is of no use to this one.
    fn of(key: &IdempotencyKey, file: &Path, look: &Look) -> Option<State> {
        let kept: Previous = serde_json::from_slice(&look.read(&Self::path(file)).ok()?).ok()?;
        (kept.idempotency_key == *key).then_some(kept.previous)
    }
}

impl HttpService {
    fn maintenance_fault(&self, message: impl std::fmt::Display) -> Fault {
        Fault::new("maintenance-failed", format!("maintenance of {}: {message}", self.name)).on(&self.name)
    }

    fn maintenance_file(&self) -> Result<&Path, Fault> {
        self.maintenance_file.as_deref().ok_or_else(|| {
            Fault::new("not-configured", format!("service {} has no `maintenance_file`", self.name))
                .on(&self.name)
                .hint(format!("set `maintenance_file` of service {} to the file that the service watches", self.name))
        })
    }

    fn maintenance_state(&self, file: &Path, look: &Look) -> Result<State, Fault> {
        const LIMIT: u64 = 64;
        let mut bytes = Vec::new();
        match look.open(file).and_then(|open| open.take(LIMIT).read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::Off),
            Err(error) => return Err(self.maintenance_fault(format!("cannot read {}: {error}", file.display()))),
        }
        match bytes.trim_ascii() {
            b"on" => Ok(State::On),
            b"off" => Ok(State::Off),
            other => {
                let shown = String::from_utf8_lossy(other);
                let message = format!("{} holds {shown:?}, which is neither `on` nor `off`", file.display());
                let hint = "find out whether the service is open, and write that into the file";
                Err(self.maintenance_fault(message).hint(hint))
            }
        }
    }

    /// Why the file could not be written, as far as a look can tell.
    fn maintenance_obstacle(&self, file: &Path, look: &Look) -> Option<Fault> {
        let directory = file.parent().filter(|p| !p.as_os_str().is_empty())?;
        look.list(directory).err().map(|error| {
            self.maintenance_fault(format!("cannot write into {}: {error}", directory.display()))
                .hint(format!("is `maintenance_file` of service {} right?", self.name))
        })
    }

    fn keep_previous(&self, key: &IdempotencyKey, file: &Path, state: State, act: &Act) -> Result<State, Fault> {
        let kept = Previous { idempotency_key: key.clone(), previous: state };
        let path = Previous::path(file);
        let written = serde_json::to_vec(&kept).map_err(Into::into).and_then(|bytes| act.write_atomic(&path, &bytes));
        written.map_err(|error| self.maintenance_fault(format!("cannot write {}: {error}", path.display())))?;
        Ok(state)
    }

    /// Writes the file. When that fails, what the file then holds says whether it was changed all the same.
    fn set_maintenance(&self, file: &Path, wanted: State, act: &Act) -> Result<(), Fault> {
        let before = self.maintenance_state(file, act).ok();
        act.write_atomic(file, format!("{wanted}\n").as_bytes()).map_err(|error| {
            let fault = self.maintenance_fault(format!("cannot write {}: {error}", file.display()));
            match self.maintenance_state(file, act) {
                Ok(state) if state == wanted && before != Some(wanted) => fault.applied(Applied::Yes),
                _ => fault,
            }
        })
    }
}

impl Driver<Maintenance> for HttpService {
    const EVIDENCE: Evidence = Evidence::Found("the record of what the call began, and what `maintenance_file` says");

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        let file = self.maintenance_file()?;
        let state = self.maintenance_state(file, look)?;
        let preview = match args.state {
            None => Preview::new(Symbol::Look, format!("{} is {state}", self.name)),
            Some(wanted) if wanted == state => {
                Preview::new(Symbol::Nothing, format!("{} is {state} already", self.name))
                    .states(state.as_str(), state.as_str())
            }
            Some(wanted) => {
                let preview = Preview::new(Symbol::Change, format!("{}: {state} → {wanted}", self.name))
                    .states(state.as_str(), wanted.as_str());
                match self.maintenance_obstacle(file, look) {
                    Some(fault) => preview.fault(fault),
                    None => preview,
                }
            }
        };
        Ok(preview.output(Value::encode(&state)))
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<State, Fault> {
        let file = self.maintenance_file()?;
        let state = self.maintenance_state(file, act)?;
        let Some(wanted) = args.state else { return Ok(state) };
        if let Some(fault) = self.maintenance_obstacle(file, act) {
            return Err(fault);
        }
        let previous = Previous::of(key, file, act).map_or_else(|| self.keep_previous(key, file, state, act), Ok)?;
        if state != wanted {
            self.set_maintenance(file, wanted, act)?;
        }
        Ok(previous)
    }

    async fn reconcile(&self, args: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<State> {
        let Some(wanted) = args.state else {
            return Reconciled::NotApplied { evidence: "a look changes nothing".to_owned() };
        };
        let found = self.maintenance_file().and_then(|file| Ok((file, self.maintenance_state(file, look)?)));
        let (file, state) = match found {
            Ok(found) => found,
            Err(fault) => return Reconciled::Unknown { why: fault.message },
        };
        let shown = file.display();
        match Previous::of(key, file, look) {
            Some(output) if state == wanted => {
                Reconciled::Applied { output, evidence: format!("{shown} says {state}, and was {output} before") }
            }
            Some(_) => Reconciled::NotApplied { evidence: format!("{shown} says {state}") },
            None => Reconciled::NotApplied { evidence: format!("no change of {shown} by this call was begun") },
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the files that the driver meets")]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::model::{Key, Segment, Span};
    use crate::system::System;

    use super::*;

    struct Web {
        dir: tempfile::TempDir,
        service: HttpService,
        act: Act,
    }

    fn web(content: Option<&str>) -> Web {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("maintenance");
        if let Some(content) = content {
            fs::write(&file, content).expect("writes");
        }
        let service = HttpService {
            name: "web".to_owned(),
            url: "http://127.0.0.1:1/".to_owned(),
            headers: BTreeMap::new(),
            timeout: Span::from_secs(1),
            pid_file: None,
            maintenance_file: Some(file),
            refuse_file: None,
            ca: None,
            plain_url: None,
            deployment: None,
        };
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        Web { dir, service, act }
    }

    impl Web {
        fn file(&self) -> PathBuf {
            self.dir.path().join("maintenance")
        }
        fn content(&self) -> Option<String> {
            fs::read_to_string(self.file()).ok()
        }
        async fn preview(&self, state: Option<State>) -> Result<Preview, Fault> {
            Driver::<Maintenance>::preview(&self.service, &args(state), &self.act).await
        }
        async fn perform(&self, state: Option<State>, call: u32) -> Result<State, Fault> {
            Driver::<Maintenance>::perform(&self.service, &args(state), &self.act, &key(call)).await
        }
        async fn reconcile(&self, state: Option<State>, call: u32) -> Reconciled<State> {
            Driver::<Maintenance>::reconcile(&self.service, &args(state), &self.act, &key(call)).await
        }
    }

    fn args(state: Option<State>) -> Args {
        Args { target: "web".to_owned(), state }
    }

    fn key(call: u32) -> IdempotencyKey {
        IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call)))
    }

    const ON: Option<State> = Some(State::On);
    const OFF: Option<State> = Some(State::Off);

    #[tokio::test]
    async fn a_look_gives_the_state_and_changes_nothing() {
        for (content, state) in
            [(None, State::Off), (Some("off\n"), State::Off), (Some("on"), State::On), (Some(" on\r\n"), State::On)]
        {
            let web = web(content);
            let preview = web.preview(None).await.expect("it looks");
            assert_eq!((preview.symbol, preview.output), (Symbol::Look, Value::encode(&state)), "{content:?}");
            assert_eq!(web.perform(None, 0).await, Ok(state), "{content:?}");
            assert_eq!(web.content().as_deref(), content);
            assert_eq!(fs::read_dir(web.dir.path()).expect("lists").count(), usize::from(content.is_some()));
        }
    }

    #[tokio::test]
    async fn a_change_gives_the_state_before_it() {
        let web = web(None);
        assert_eq!(web.perform(ON, 0).await, Ok(State::Off));
        assert_eq!(web.content().as_deref(), Some("on\n"));
        assert_eq!(web.perform(ON, 1).await, Ok(State::On));
        assert_eq!(web.perform(OFF, 2).await, Ok(State::On));
        assert_eq!(web.content().as_deref(), Some("off\n"));
    }

    #[tokio::test]
    async fn every_attempt_of_one_call_gives_the_same_state() {
        let web = web(None);
        assert_eq!(web.perform(ON, 0).await, Ok(State::Off));
        assert_eq!(
            web.perform(ON, 0).await,
            Ok(State::Off),
            "the second attempt finds `on`, which is the first one's work"
        );
        fs::write(web.file(), "off").expect("somebody opens it");
        assert_eq!(web.perform(ON, 0).await, Ok(State::Off));
        assert_eq!(web.content().as_deref(), Some("on\n"));
    }

    #[tokio::test]
    async fn a_preview_shows_before_and_after_and_touches_nothing() {
        let web = web(Some("off"));
        let preview = web.preview(ON).await.expect("it can be previewed");
        assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Change, "web: off → on"));
        assert_eq!((preview.before.as_deref(), preview.after.as_deref()), (Some("off"), Some("on")));
        assert_eq!(preview.output, Value::from("off"));
        let preview = web.preview(OFF).await.expect("it can be previewed");
        assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Nothing, "web is off already"));
        assert_eq!(web.content().as_deref(), Some("off"));
    }

    #[tokio::test]
    async fn garbage_in_the_file_is_shown_and_left_alone() {
        for content in ["", "true", "on off", "\u{1b}[2J"] {
            let web = web(Some(content));
            let fault = web.perform(ON, 0).await.expect_err("the state before is not known");
            assert_eq!((fault.code.as_str(), fault.applied), ("maintenance-failed", Applied::No));
            assert!(fault.message.contains(&format!("holds {content:?}")), "{}", fault.message);
            assert_eq!(
                web.preview(None).await.expect_err("nor in a plan"),
                web.preview(ON).await.expect_err("nor here")
            );
            assert_eq!(web.content().as_deref(), Some(content));
        }
    }

    #[tokio::test]
    async fn a_service_without_the_setting_says_which_one_is_missing() {
        let mut web = web(None);
        web.service.maintenance_file = None;
        let fault = web.perform(ON, 0).await.expect_err("nothing to write");
        assert_eq!((fault.code.as_str(), fault.target.as_deref()), ("not-configured", Some("web")));
        let hint = fault.hint.expect("it says what to do");
        assert!(hint.contains("`maintenance_file` of service web"), "{hint}");
    }

    #[tokio::test]
    async fn a_directory_that_is_missing_is_a_fault_that_the_plan_foresees() {
        let mut web = web(None);
        web.service.maintenance_file = Some(web.dir.path().join("nowhere/maintenance"));
        let foreseen = web.preview(ON).await.expect("it can be previewed").fault.expect("and would fail");
        let fault = web.perform(ON, 0).await.expect_err("there is no such directory");
        assert_eq!(fault, foreseen);
        assert!(fault.message.contains("nowhere"), "{}", fault.message);
    }

    #[tokio::test]
    async fn a_crash_before_the_change_is_told_from_one_after_it() {
        let web = web(Some("off"));
        assert!(matches!(web.reconcile(ON, 0).await, Reconciled::NotApplied { .. }), "it was never begun");
        web.perform(ON, 0).await.expect("it is set");
        let Reconciled::Applied { output, evidence } = web.reconcile(ON, 0).await else { panic!("it was applied") };
        assert_eq!(output, State::Off, "the state to which a rollback returns");
        assert!(evidence.contains("says on"), "{evidence}");
        fs::write(web.file(), "off").expect("as if the crash had come between the two writes");
        assert!(matches!(web.reconcile(ON, 0).await, Reconciled::NotApplied { .. }));
    }

    #[tokio::test]
    async fn the_same_state_set_by_another_call_is_no_evidence_for_this_one() {
        let web = web(None);
        web.perform(ON, 0).await.expect("it is set");
        assert!(matches!(web.reconcile(ON, 1).await, Reconciled::NotApplied { .. }));
        fs::write(web.file(), "?").expect("garbage");
        assert!(matches!(web.reconcile(ON, 0).await, Reconciled::Unknown { .. }));
    }
}
