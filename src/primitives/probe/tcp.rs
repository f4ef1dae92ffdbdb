//! `probe` for `driver = "tcp"`: whether it accepts a connection.

use super::attempts::attempts;
use super::finding::{Finding, took};
use super::misuse::check;
use super::{Args, Output, Probe};
use crate::model::{Fault, Value};
use crate::primitives::Observer;
use crate::primitives::targets::TcpService;
use crate::system::Look;

impl Observer<Probe> for TcpService {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        check(args, "a service that accepts TCP connections, and more is not known of it", &[])?;
        let timeout = args.timeout.unwrap_or(self.timeout).0;
        attempts(args, look, || async move {
            let started = look.monotonic();
            Ok(match look.tcp_connect(&self.address, timeout).await {
                Ok(latency) => Finding::answered(latency, Value::Null, format!("connected in {}", took(latency))),
                Err(why) => Finding::silent(look.monotonic().saturating_sub(started), why),
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::model::Span;
    use crate::primitives::probe::Status;
    use crate::system::System;

    async fn probe(address: String, args: Args) -> Result<Output, Fault> {
        let service =
            TcpService { name: "db".into(), address, timeout: Span::from_secs(5), pid_file: None, deployment: None };
        Observer::<Probe>::observe(&service, &args, &Look::new(Arc::new(System::new(PathBuf::new())))).await
    }

    #[tokio::test]
    async fn an_open_port_passes_and_a_closed_one_is_down() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let address = listener.local_addr().expect("an address").to_string();
        let output = probe(address.clone(), Args::of("db")).await.expect("answers");
        assert_eq!((output.status, output.ok, output.down, output.value), (Status::Pass, true, false, Value::Null));
        assert!(output.detail.starts_with("connected in "), "{}", output.detail);
        drop(listener);
        let output = probe(address, Args::of("db")).await.expect("answers");
        assert_eq!((output.status, output.ok, output.down), (Status::Fail, false, true));
        assert_eq!(output.detail, "connection refused");
    }

    #[tokio::test]
    async fn options_of_http_are_refused() {
        let args = Args { contains: Some(crate::model::Arg::Known("x".into())), ..Args::of("db") };
        let fault = probe("127.0.0.1:1".into(), args).await.expect_err("refused");
        assert_eq!(fault.code, "probe-misuse");
    }
}
