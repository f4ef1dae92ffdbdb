//! `inject` on a service that accepts TCP connections: `kill`.

use std::path::PathBuf;

use crate::model::{Fault, IdempotencyKey};
use crate::primitives::Reconciled;
use crate::primitives::targets::TcpService;
use crate::system::{Act, Look};

use super::{Aim, Args, FaultName, Record, Strike, process};

impl Strike for TcpService {
    fn name(&self) -> &str {
        &self.name
    }

    fn faults(&self) -> &'static [FaultName] {
        &[FaultName::Kill]
    }

    fn record(&self, _: &Args) -> Result<PathBuf, Fault> {
        process::pid_file(&self.name, self.pid_file.as_deref()).map(Record::beside)
    }

    fn aim(&self, _: &Args, look: &Look) -> Result<Aim, Fault> {
        process::aim(&self.name, process::pid_file(&self.name, self.pid_file.as_deref())?, look)
    }

    async fn strike(&self, _: &Args, mark: &str, act: &Act, _: &IdempotencyKey) -> Result<String, Fault> {
        process::strike(&self.name, mark, act).await
    }

    fn was_struck(&self, _: &Args, record: &Record, look: &Look) -> Reconciled<()> {
        process::was_struck(record, look)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests start the processes that are killed, and write their files")]
mod tests {
    use std::fs;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::{Key, Segment, Span, Symbol};
    use crate::primitives::Driver;
    use crate::primitives::inject::{Inject, Injected};
    use crate::system::System;

    struct Service {
        dir: tempfile::TempDir,
        target: TcpService,
        act: Act,
    }

    fn service() -> Service {
        let dir = tempfile::tempdir().expect("a directory");
        let target = TcpService {
            name: "db".to_owned(),
            address: "127.0.0.1:1".to_owned(),
            timeout: Span::from_secs(1),
            pid_file: Some(dir.path().join("db.pid")),
            deployment: None,
        };
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        Service { dir, target, act }
    }

    /// A process of the test's own, ended with it.
    struct Sleeper(Child);

    impl Sleeper {
        fn start() -> Self {
            let child = Command::new("sleep").arg("60").spawn().expect("starts");
            // Its command line is empty until the program has been loaded.
            let command = format!("/proc/{}/cmdline", child.id());
            while fs::read(&command).expect("it runs") != b"sleep\x0060\x00" {
                std::thread::yield_now();
            }
            Self(child)
        }
        fn runs(&mut self) -> bool {
            self.0.try_wait().expect("asks").is_none()
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn key(call: u32) -> IdempotencyKey {
        IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call)))
    }

    fn kill() -> Args {
        Args { target: "db".to_owned(), fault: FaultName::Kill, database: None, bytes: None }
    }

    impl Service {
        fn pid_file(&self) -> PathBuf {
            self.dir.path().join("db.pid")
        }
        fn names(&self, pid: impl std::fmt::Display) {
            fs::write(self.pid_file(), format!("{pid}\n")).expect("writes");
        }
        async fn preview(&self) -> Result<crate::primitives::Preview, Fault> {
            Driver::<Inject>::preview(&self.target, &kill(), &self.act).await
        }
        async fn perform(&self, call: u32) -> Result<Injected, Fault> {
            Driver::<Inject>::perform(&self.target, &kill(), &self.act, &key(call)).await
        }
        async fn reconcile(&self, call: u32) -> Reconciled<Injected> {
            Driver::<Inject>::reconcile(&self.target, &kill(), &self.act, &key(call)).await
        }
    }

    #[tokio::test]
    async fn the_process_in_the_file_is_killed() {
        let (service, mut sleeper) = (service(), Sleeper::start());
        service.names(sleeper.0.id());
        let preview = service.preview().await.expect("it can be previewed");
        assert_eq!(preview.symbol, Symbol::Destroy);
        assert_eq!(preview.summary, format!("db: kill process {} (`sleep 60`)", sleeper.0.id()));
        assert!(sleeper.runs());
        let injected = service.perform(0).await.expect("it is killed");
        assert_eq!(injected.detail, format!("killed process {}", sleeper.0.id()));
        assert_eq!(injected.at.parse::<jiff::Timestamp>().expect("a time").as_millisecond(), injected.at_ms);
        assert_eq!(sleeper.0.wait().expect("it has ended").signal(), Some(9));
    }

    #[tokio::test]
    async fn a_second_attempt_spares_the_process_that_was_started_since() {
        let (service, mut first, mut second) = (service(), Sleeper::start(), Sleeper::start());
        service.names(first.0.id());
        let injected = service.perform(0).await.expect("it is killed");
        first.0.wait().expect("it has ended");
        service.names(second.0.id());
        let again = service.perform(0).await.expect("it has been killed");
        assert_eq!((again.at_ms, again.detail), (injected.at_ms, format!("process {} has gone", first.0.id())));
        assert!(second.runs());
        assert!(matches!(service.reconcile(0).await, Reconciled::Applied { output, .. } if output.at == injected.at));
        service.perform(1).await.expect("another call kills it");
        assert_eq!(second.0.wait().expect("it has ended").signal(), Some(9));
    }

    #[tokio::test]
    async fn a_crash_before_the_signal_is_told_from_one_after_it() {
        let (service, mut sleeper) = (service(), Sleeper::start());
        service.names(sleeper.0.id());
        assert!(matches!(service.reconcile(0).await, Reconciled::NotApplied { .. }), "it was never begun");
        let record = Record {
            idempotency_key: key(0),
            fault: FaultName::Kill,
            mark: process::mark(sleeper.0.id(), &service.act),
            at: service.act.now(),
        };
        record.write(&Record::beside(&service.pid_file()), &service.act).expect("as if the crash had come next");
        let Reconciled::NotApplied { evidence } = service.reconcile(0).await else { panic!("it still runs") };
        assert_eq!(evidence, format!("process {} still runs", sleeper.0.id()));
        sleeper.0.kill().expect("killed");
        while service.act.process_runs(sleeper.0.id()) {
            std::thread::yield_now();
        }
        assert!(
            matches!(service.reconcile(0).await, Reconciled::Applied { .. }),
            "it has gone, though nobody waited for it"
        );
    }

    #[tokio::test]
    async fn a_process_that_inherited_the_number_is_not_the_one_that_was_meant() {
        let (service, mut sleeper) = (service(), Sleeper::start());
        let mark = format!("{}@10ms", sleeper.0.id());
        let record = Record { idempotency_key: key(0), fault: FaultName::Kill, mark, at: service.act.now() };
        record.write(&Record::beside(&service.pid_file()), &service.act).expect("a record of another process");
        assert!(matches!(service.reconcile(0).await, Reconciled::Applied { .. }));
        service.perform(0).await.expect("that one has gone");
        assert!(sleeper.runs());
    }

    #[tokio::test]
    async fn what_must_not_be_killed_is_refused() {
        let service = service();
        for pid in [0, 1, std::process::id(), std::os::unix::process::parent_id()] {
            service.names(pid);
            let fault = service.perform(0).await.expect_err("it must not be killed");
            assert!(
                fault.message.contains(&format!("names process {pid}, which must not be killed")),
                "{}",
                fault.message
            );
            assert_eq!(service.preview().await.expect_err("a plan foresees it"), fault);
        }
    }

    #[tokio::test]
    async fn a_file_that_names_no_process_is_a_fault() {
        let service = service();
        let fault = service.perform(0).await.expect_err("there is no file");
        assert!(fault.message.contains("cannot read"), "{}", fault.message);
        for content in ["", "-1", "web", "99999999999"] {
            service.names(content);
            let fault = service.perform(0).await.expect_err("no number");
            assert!(fault.message.contains("which is no process number"), "{}", fault.message);
        }
        let mut sleeper = Sleeper::start();
        sleeper.0.kill().and_then(|()| sleeper.0.wait()).expect("it has ended");
        service.names(sleeper.0.id());
        let fault = service.perform(0).await.expect_err("it has gone");
        assert!(fault.message.contains("does not run"), "{}", fault.message);
    }

    #[tokio::test]
    async fn a_process_younger_than_the_file_is_not_the_service() {
        let (service, mut sleeper) = (service(), Sleeper::start());
        service.names(sleeper.0.id());
        let file = fs::File::options().write(true).open(service.pid_file()).expect("opens");
        file.set_modified(SystemTime::now() - Duration::from_secs(3_600)).expect("as if written an hour ago");
        let fault = service.perform(0).await.expect_err("the number was inherited");
        assert!(fault.message.contains("it is not the service"), "{}", fault.message);
        assert!(sleeper.runs());
    }

    #[tokio::test]
    async fn other_faults_and_options_are_refused_with_those_that_make_sense() {
        let service = service();
        let refuse = Args { fault: FaultName::Refuse, ..kill() };
        let fault = Driver::<Inject>::preview(&service.target, &refuse, &service.act).await.expect_err("not for TCP");
        assert_eq!((fault.code.as_str(), fault.hint.as_deref()), ("not-supported", Some("faults for db: kill")));
        let option = Args { bytes: Some(64), ..kill() };
        let fault = Driver::<Inject>::preview(&service.target, &option, &service.act).await.expect_err("no bytes");
        assert_eq!(fault.message, "`kill` takes no option `bytes`");
        let bare = TcpService { pid_file: None, ..service.target };
        let fault = Driver::<Inject>::perform(&bare, &kill(), &service.act, &key(0)).await.expect_err("no file");
        assert_eq!(fault.code, "not-configured");
        assert!(fault.hint.expect("it says what to do").starts_with("set `pid_file` of service db"));
    }
}
