//! `inject` on a service that speaks HTTP: `kill`, `refuse`, `accept`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::model::{Applied, Fault, IdempotencyKey};
use crate::primitives::Reconciled;
use crate::primitives::targets::HttpService;
use crate::system::{Act, Look};

use super::strike::{failed, not_configured, presence};
use super::{Aim, Args, FaultName, Record, Strike, process};

impl HttpService {
    fn refuse_file(&self) -> Result<&Path, Fault> {
        let what = "the file whose presence makes it refuse connections";
        self.refuse_file.as_deref().ok_or_else(|| not_configured(&self.name, "refuse_file", what))
    }

    fn pid_file(&self) -> Result<&Path, Fault> {
        process::pid_file(&self.name, self.pid_file.as_deref())
    }

    /// Makes the refuse file, or removes it.
    fn switch(&self, refuse: bool, act: &Act) -> Result<(), Fault> {
        let path = self.refuse_file()?;
        let switched = if refuse { act.write_atomic(path, b"") } else { act.remove_file(path) };
        let switched = switched.or_else(|error| match error.kind() {
            ErrorKind::NotFound if !refuse => Ok(()),
            _ => Err(error),
        });
        switched.map_err(|error| {
            let applied = if act.exists(path) == refuse { Applied::Yes } else { Applied::No };
            let doing = if refuse { "make" } else { "remove" };
            failed(&self.name, format!("cannot {doing} {}: {error}", path.display())).applied(applied)
        })
    }
}

impl Strike for HttpService {
    fn name(&self) -> &str {
        &self.name
    }

    fn faults(&self) -> &'static [FaultName] {
        &[FaultName::Kill, FaultName::Refuse, FaultName::Accept]
    }

    fn record(&self, args: &Args) -> Result<PathBuf, Fault> {
        let path = if args.fault == FaultName::Kill { self.pid_file() } else { self.refuse_file() };
        path.map(Record::beside)
    }

    fn aim(&self, args: &Args, look: &Look) -> Result<Aim, Fault> {
        if args.fault == FaultName::Kill {
            return process::aim(&self.name, self.pid_file()?, look);
        }
        let path = self.refuse_file()?;
        let shown = path.display();
        if let Some(Err(error)) = path.parent().filter(|p| !p.as_os_str().is_empty()).map(|p| look.list(p)) {
            let message = format!("the directory of {shown} cannot be used: {error}");
            return Err(failed(&self.name, message).hint("is `refuse_file` right?"));
        }
        let refuse = args.fault == FaultName::Refuse;
        let already = look.exists(path) == refuse;
        let summary = match (refuse, already) {
            (true, false) => format!("refuse connections (makes {shown})"),
            (false, false) => format!("accept connections again (removes {shown})"),
            (true, true) => format!("refuses connections already ({shown} exists)"),
            (false, true) => format!("accepts connections already ({shown} is not there)"),
        };
        Ok(Aim { mark: path.to_string_lossy().into_owned(), summary, already, notes: Vec::new() })
    }

    async fn strike(&self, args: &Args, mark: &str, act: &Act, _: &IdempotencyKey) -> Result<String, Fault> {
        match args.fault {
            FaultName::Refuse => self.switch(true, act).map(|()| format!("made {mark}")),
            FaultName::Accept => self.switch(false, act).map(|()| format!("removed {mark}")),
            _ => process::strike(&self.name, mark, act).await,
        }
    }

    fn was_struck(&self, args: &Args, record: &Record, look: &Look) -> Reconciled<()> {
        if args.fault == FaultName::Kill {
            return process::was_struck(record, look);
        }
        match self.refuse_file() {
            Ok(path) => presence(path, args.fault == FaultName::Refuse, look),
            Err(fault) => Reconciled::Unknown { why: fault.message },
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests start the process that is killed, and write its file")]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::model::{Key, Segment, Span, Symbol};
    use crate::primitives::Driver;
    use crate::primitives::inject::Inject;
    use crate::system::System;

    fn web() -> (tempfile::TempDir, HttpService, Act) {
        let dir = tempfile::tempdir().expect("a directory");
        let service = HttpService {
            name: "web".to_owned(),
            url: "http://127.0.0.1:1/".to_owned(),
            headers: BTreeMap::new(),
            timeout: Span::from_secs(1),
            pid_file: Some(dir.path().join("web.pid")),
            maintenance_file: None,
            refuse_file: Some(dir.path().join("refuse")),
            ca: None,
            plain_url: None,
            deployment: None,
        };
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        (dir, service, act)
    }

    fn args(fault: FaultName) -> Args {
        Args { target: "web".to_owned(), fault, database: None, bytes: None }
    }

    fn key(call: u32) -> IdempotencyKey {
        IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call)))
    }

    #[tokio::test]
    async fn a_service_refuses_connections_and_accepts_them_again() {
        let (dir, web, act) = web();
        let file = dir.path().join("refuse");
        let symbol = async |fault| Driver::<Inject>::preview(&web, &args(fault), &act).await.map(|p| p.symbol);
        let inject = async |fault, call| Driver::<Inject>::perform(&web, &args(fault), &act, &key(call)).await;
        assert_eq!(symbol(FaultName::Refuse).await, Ok(Symbol::Destroy));
        assert_eq!(symbol(FaultName::Accept).await, Ok(Symbol::Nothing));
        assert!(!file.exists());
        assert_eq!(inject(FaultName::Refuse, 0).await.expect("refuses").fault, FaultName::Refuse);
        assert!(file.exists());
        assert_eq!(symbol(FaultName::Refuse).await, Ok(Symbol::Nothing));
        let settled = Driver::<Inject>::reconcile(&web, &args(FaultName::Refuse), &act, &key(0)).await;
        assert!(matches!(settled, Reconciled::Applied { .. }));
        inject(FaultName::Accept, 1).await.expect("accepts");
        assert!(!file.exists());
        inject(FaultName::Accept, 2).await.expect("accepts already");
        let settled = Driver::<Inject>::reconcile(&web, &args(FaultName::Refuse), &act, &key(0)).await;
        assert!(matches!(settled, Reconciled::NotApplied { .. }));
    }

    #[tokio::test]
    async fn its_process_is_killed() {
        let (dir, web, act) = web();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("starts");
        std::fs::write(dir.path().join("web.pid"), child.id().to_string()).expect("writes");
        let injected = Driver::<Inject>::perform(&web, &args(FaultName::Kill), &act, &key(0)).await;
        let ended = child.kill().and_then(|()| child.wait()).expect("it has ended");
        assert_eq!(injected.expect("killed").detail, format!("killed process {}", child.id()));
        assert!(!ended.success());
    }

    #[tokio::test]
    async fn a_setting_or_a_directory_that_is_missing_is_a_fault_in_the_plan() {
        let (dir, mut web, act) = web();
        web.refuse_file = Some(dir.path().join("nowhere/refuse"));
        let foreseen = Driver::<Inject>::preview(&web, &args(FaultName::Refuse), &act).await.expect_err("no directory");
        assert!(foreseen.message.contains("nowhere"), "{}", foreseen.message);
        web.refuse_file = None;
        for fault in [FaultName::Refuse, FaultName::Accept] {
            let foreseen = Driver::<Inject>::preview(&web, &args(fault), &act).await.expect_err("no setting");
            assert_eq!(foreseen.code, "not-configured");
            assert!(foreseen.hint.expect("it says what to do").contains("`refuse_file` of service web"));
        }
    }
}
