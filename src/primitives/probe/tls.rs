//! `probe` for `driver = "tls"`: a handshake, and what the certificates of the server say.

use jiff::Timestamp;

use super::attempts::attempts;
use super::certificate::{Certificate, judge};
use super::finding::{Finding, took};
use super::misuse::{check, misuse};
use super::{Args, Output, Probe};
use crate::model::{Fault, Value};
use crate::primitives::Observer;
use crate::primitives::targets::TlsService;
use crate::system::{Look, TlsFound, TlsRequest};

/// Days left at which it warns and fails, unless others are given.
const WARN: i64 = 21;
const FAIL: i64 = 7;

impl Observer<Probe> for TlsService {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        check(args, "a service that speaks TLS", &["tls_days_warn", "tls_days_fail", "tls_names"])?;
        if let Some(Err(why)) = self.ca.as_deref().map(|ca| look.certificates(ca)) {
            return Err(misuse(args, why).hint(format!("see `ca` of service {}", self.name)));
        }
        let request = TlsRequest {
            address: self.address.clone(),
            name: self.server_name.clone(),
            ca: self.ca.clone(),
            starttls: self.starttls,
            timeout: args.timeout.unwrap_or(self.timeout).0,
        };
        let request = &request;
        attempts(args, look, || async move {
            let started = look.monotonic();
            let latency = || look.monotonic().saturating_sub(started);
            Ok(match look.tls_handshake(request).await {
                Ok(found) => shown(args, &found, look.now()),
                Err(error) if error.answered => Finding::useless(latency(), error.message),
                Err(error) => Finding::silent(latency(), error.message),
            })
        })
        .await
    }
}

/// What the certificates are worth. The value is the number of days that the server's own has left.
fn shown(args: &Args, found: &TlsFound, now: Timestamp) -> Finding {
    let chain: Result<Vec<Certificate>, String> = found.chain.iter().map(|der| Certificate::read(der)).collect();
    let (own, others) = match chain.as_deref() {
        Ok([own, others @ ..]) => (own, others),
        Ok([]) => return Finding::useless(found.elapsed, "the server shows no certificate"),
        Err(why) => return Finding::useless(found.elapsed, why.clone()),
    };
    let left = own.days_left(now);
    let summary = format!("{}, {left} days left, {} in {}", own.shown(), found.version, took(found.elapsed));
    let mut finding = Finding::answered(found.elapsed, Value::Int(left), summary);
    let expired = left < 0;
    if let Err(why) = &found.trusted {
        finding.fail(format!("not to be trusted: {why}"));
    }
    let [warn, fail] = limits(args);
    // That it has expired was said already.
    let days = if expired && found.trusted.is_err() { [None, None] } else { [warn, fail] };
    judge(own, days, args, now, &mut finding);
    for other in others {
        let left = other.days_left(now);
        let problem = |_| format!("days left on the certificate of {}, which vouches for it: {left}", other.subject());
        finding.limit([warn, fail], |limit| left < limit, problem);
    }
    finding
}

/// [warn, fail]. A limit that is given moves the other one's default out of its way.
fn limits(args: &Args) -> [Option<i64>; 2] {
    let given = [args.tls_days_warn, args.tls_days_fail].map(|days| days.map(i64::from));
    let warn = given[0].or(Some(WARN).filter(|warn| given[1].is_none_or(|fail| fail < *warn)));
    let fail = given[1].or(Some(FAIL).filter(|fail| given[0].is_none_or(|warn| *fail < warn)));
    [warn, fail]
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::model::Span;
    use crate::primitives::probe::Status;
    use crate::system::System;
    use crate::system::tls::testing::{Authority, Until, serve};

    struct Bench {
        dir: tempfile::TempDir,
        authority: Authority,
    }

    impl Bench {
        fn new() -> Self {
            Self { dir: tempfile::tempdir().expect("a directory"), authority: Authority::new() }
        }

        async fn probe(&self, address: String, args: Args) -> Result<Output, Fault> {
            let service = TlsService {
                name: "mail".into(),
                address,
                server_name: "mx.test".into(),
                ca: Some(self.authority.write(self.dir.path())),
                starttls: None,
                timeout: Span::from_secs(20),
            };
            Observer::<Probe>::observe(&service, &args, &Look::new(Arc::new(System::new(PathBuf::new())))).await
        }

        async fn of(&self, names: &[&str], until: Until, args: Args) -> Output {
            let address = serve(self.authority.server(names, until), String::new()).await;
            self.probe(address, args).await.expect("it answers")
        }
    }

    fn args() -> Args {
        Args::of("mail")
    }

    #[tokio::test]
    async fn days_warn_and_fail_before_the_certificate_does() {
        let bench = Bench::new();
        for (days, status) in [(40, Status::Pass), (20, Status::Warn), (6, Status::Fail)] {
            let output = bench.of(&["mx.test"], Until::Days(days), args()).await;
            assert_eq!(
                (output.status, output.value, output.down),
                (status, Value::Int(days), false),
                "{}",
                output.detail
            );
        }
        let output = bench.of(&["mx.test"], Until::Days(40), Args { tls_days_warn: Some(60), ..args() }).await;
        assert_eq!(output.status, Status::Warn);
        assert!(output.detail.starts_with("mx.test by Test Root, 40 days left, TLS 1.3 in "), "{}", output.detail);
        assert!(output.detail.ends_with(": days left on the certificate: 40"), "{}", output.detail);
        let output = bench.of(&["mx.test"], Until::Days(40), Args { tls_days_fail: Some(41), ..args() }).await;
        assert_eq!(output.status, Status::Fail);
    }

    #[tokio::test]
    async fn what_no_client_would_trust_fails_and_is_not_down() {
        let bench = Bench::new();
        let output = bench.of(&["mx.test"], Until::Expired, args()).await;
        assert_eq!((output.status, output.down), (Status::Fail, false));
        assert!(output.detail.ends_with(": not to be trusted: it has expired"), "{}", output.detail);
        let output = bench.of(&["other.test"], Until::Days(40), args()).await;
        assert!(output.detail.ends_with("not to be trusted: it is for other names"), "{}", output.detail);
        let asked = Args { tls_names: Some(vec!["mx.test".into(), "imap.test".into()]), ..args() };
        let output = bench.of(&["mx.test"], Until::Days(40), asked).await;
        assert!(output.detail.ends_with(": the certificate is not for imap.test"), "{}", output.detail);
    }

    #[tokio::test]
    async fn who_vouches_for_it_is_part_of_it() {
        let bench = Bench::new();
        let of = async |complete| {
            let config = bench.authority.server_in_between(&["mx.test"], Until::Days(40), complete);
            bench.probe(serve(config, String::new()).await, args()).await.expect("it answers")
        };
        assert_eq!(of(true).await.status, Status::Pass);
        let output = of(false).await;
        assert!(
            !output.ok && output.detail.contains("does the server send the certificates in between?"),
            "{}",
            output.detail
        );
    }

    #[tokio::test]
    async fn a_port_without_tls_fails_and_a_closed_one_is_down() {
        let bench = Bench::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
        let address = listener.local_addr().expect("an address").to_string();
        drop(listener);
        let output = bench.probe(address, args()).await.expect("answers");
        assert_eq!((output.down, output.detail.as_str()), (true, "connection refused"));
        let fault = bench
            .probe("127.0.0.1:1".into(), Args { path: Some(crate::model::Arg::Known("/".to_owned())), ..args() })
            .await;
        assert_eq!(fault.expect_err("refused").code, "probe-misuse");
    }

    #[test]
    fn a_limit_moves_the_other_one_out_of_its_way() {
        let of = |warn, fail| limits(&Args { tls_days_warn: warn, tls_days_fail: fail, ..args() });
        assert_eq!(of(None, None), [Some(21), Some(7)]);
        assert_eq!(of(Some(5), None), [Some(5), None]);
        assert_eq!(of(None, Some(30)), [None, Some(30)]);
        assert_eq!(of(Some(60), Some(30)), [Some(60), Some(30)]);
    }
}
