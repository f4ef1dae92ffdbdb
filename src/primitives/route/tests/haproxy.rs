//! HAProxy.

use std::process::{Command, Stdio};

use super::*;
use crate::model::{Applied, Symbol, Value};
use crate::primitives::route::State;
use crate::primitives::targets::HaproxyRouter;
use crate::system::{HaproxySocket, free_ports};

/// HAProxy with this `balance`; green is checked if `check` says so, and its port may be that of nobody.
async fn rig_with(balance: &str, green: Option<u16>) -> Option<Rig<HaproxyRouter>> {
    let program = program("haproxy")?;
    let dir = tempfile::tempdir().expect("a directory");
    let [port] = free_ports().expect("a port");
    let blue = serve("blue", dir.path().join("slow-blue"));
    let (green, check) = match green {
        Some(port) => (port, "check inter 20ms fall 1"),
        None => (serve("green", dir.path().join("slow-green")), ""),
    };
    let config = format!(
        "global\n  stats socket {0}/admin.sock level admin\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  \
         timeout server 30s\nfrontend in\n  bind 127.0.0.1:{port}\n  default_backend web\nbackend web\n  balance {balance}\n  \
         server blue 127.0.0.1:{blue} weight 100\n  server green1 127.0.0.1:{green} weight 0 {check}\n  \
         server green2 127.0.0.1:{green} weight 0 {check}\n",
        dir.path().display()
    );
    fs::write(dir.path().join("haproxy.cfg"), config).expect("writes");
    let mut command = Command::new(program);
    let process =
        command.arg("-db").arg("-f").arg(dir.path().join("haproxy.cfg")).stderr(Stdio::null()).stdout(Stdio::null());
    let process = process.spawn().expect("starts");
    let router = router(
        dir.path(),
        "driver = \"haproxy\"\nsocket = \"admin.sock\"\nbackends = { blue = \"web/blue\", green = [\"web/green1\", \"web/green2\"] }",
    );
    let rig = Rig { act: act(dir.path()), dir, router, process, port };
    for _ in 0..1_000 {
        if rig.routes().await.is_ok() {
            return Some(rig);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("HAProxy does not answer")
}

async fn rig() -> Option<Rig<HaproxyRouter>> {
    rig_with("roundrobin", None).await
}

#[tokio::test]
async fn traffic_goes_where_it_is_sent_and_back() {
    let Some(rig) = rig().await else { return };
    rig.shifts_traffic().await;
}

#[tokio::test]
async fn the_servers_of_a_backend_share_what_it_gets() {
    let Some(rig) = rig().await else { return };
    rig.route(&to("green", 10), 0).await.expect("routes");
    let servers = rig.routes().await.expect("it can be told").servers;
    let told: Vec<_> = servers.iter().map(|s| (s.name.as_str(), s.backend.as_str(), s.weight, s.state)).collect();
    assert_eq!(
        told,
        [("blue", "blue", 180, State::Up), ("green1", "green", 10, State::Up), ("green2", "green", 10, State::Up)]
    );
}

#[tokio::test]
async fn a_plan_shows_both_and_changes_nothing() {
    let Some(rig) = rig().await else { return };
    let preview = rig.preview(&to("green", 10)).await;
    assert_eq!(preview.summary, "lb: blue 100 %, green 0 % → blue 90 %, green 10 %");
    assert_eq!((preview.symbol, preview.fault), (Symbol::Change, None));
    assert_eq!(preview.output.get("before").and_then(|before| before.get("blue")), Some(&Value::Int(100)));
    let preview = rig.preview(&to("blue", 100)).await;
    assert_eq!(preview.summary, "lb: blue 100 %, green 0 % already: nothing to do");
    assert_eq!((preview.symbol, preview.output.get("changed")), (Symbol::Nothing, Some(&Value::Bool(false))));
    assert_eq!(rig.shares().await, shares(100, 0));
}

#[tokio::test]
async fn what_is_so_already_is_left_alone_and_every_attempt_gives_the_same() {
    let Some(rig) = rig().await else { return };
    assert!(!rig.route(&to("blue", 100), 0).await.expect("nothing to do").changed);
    for _ in 0..2 {
        let routed = rig.route(&to("green", 40), 1).await.expect("routes");
        assert_eq!((routed.before, routed.shares, routed.changed), (shares(100, 0), shares(60, 40), true));
    }
}

#[tokio::test]
async fn a_backend_that_is_down_or_taken_out_gets_nothing() {
    let [nobody] = free_ports().expect("a port");
    let Some(rig) = rig_with("roundrobin", Some(nobody)).await else { return };
    while rig.routes().await.expect("it can be told").servers[1..].iter().any(|server| server.state != State::Down) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let foreseen = rig.preview(&to("green", 10)).await.fault.expect("it would fail");
    let fault = rig.route(&to("green", 10), 0).await.expect_err("nobody is there");
    assert_eq!(fault, foreseen);
    assert_eq!((fault.code.as_str(), fault.applied), ("backend-unavailable", Applied::No));
    assert_eq!(fault.message, "lb: green takes no traffic: green1 is down, green2 is down");
    for (command, state) in [("drain", "in drain"), ("maint", "in maintenance")] {
        for server in ["green1", "green2"] {
            let command = format!("set server web/{server} state {command}");
            rig.act.haproxy(&rig.router.socket, &command, Duration::from_secs(5)).await.expect("is set");
        }
        let fault = rig.route(&to("green", 10), 0).await.expect_err("somebody took it out");
        assert!(fault.message.ends_with(&format!("green2 is {state}")), "{fault}");
    }
    assert_eq!(rig.shares().await, shares(100, 0));
}

#[tokio::test]
async fn weights_that_cannot_be_set_are_as_they_were() {
    let Some(rig) = rig_with("static-rr", None).await else { return };
    let fault = rig.route(&to("green", 10), 0).await.expect_err("they cannot be set");
    assert_eq!((fault.code.as_str(), fault.applied), ("route-failed", Applied::No));
    assert!(fault.message.contains("HAProxy says:") && fault.message.contains("as they were"), "{fault}");
    assert_eq!(rig.shares().await, shares(100, 0));
}

#[tokio::test]
async fn draining_waits_for_what_is_under_way() {
    let Some(rig) = rig().await else { return };
    fs::write(rig.path("slow-blue"), "").expect("blue is slow");
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", rig.port)).expect("the router listens"));
    stream.get_mut().write_all(b"GET / HTTP/1.1\r\nhost: web\r\n\r\n").expect("asks");
    let blue = ["blue"];
    while super::super::flow::Router::pending(&rig.router, &blue, &rig.act).await.expect("it can be told") != Some(1) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let drain = |time| Args { drain: Some(time), ..to("green", 100) };
    let routed = rig.route(&drain(Span::from_millis(100)), 0).await.expect("routes");
    assert!(routed.changed && !routed.drained, "{routed:?}");
    fs::remove_file(rig.path("slow-blue")).expect("blue answers");
    let routed = rig.route(&drain(Span::from_secs(30)), 1).await.expect("waits");
    assert!(!routed.changed && routed.drained, "{routed:?}");
    let mut answer = String::new();
    stream.read_line(&mut answer).expect("it was answered");
    assert!(answer.contains("200"), "{answer}");
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_the_weights() {
    let Some(rig) = rig().await else { return };
    let args = to("green", 10);
    assert!(matches!(rig.reconcile(&args, 0).await, Reconciled::NotApplied { .. }), "it was never begun");
    rig.route(&args, 0).await.expect("routes");
    let Reconciled::Applied { output, evidence } = rig.reconcile(&args, 0).await else { panic!("it was") };
    assert_eq!((output.before, output.shares), (shares(100, 0), shares(90, 10)));
    assert_eq!(evidence, "lb: blue 90 %, green 10 %");
    assert!(matches!(rig.reconcile(&args, 1).await, Reconciled::NotApplied { .. }), "it was another call");
    rig.route(&to("blue", 100), 2).await.expect("somebody puts it back");
    assert!(matches!(rig.reconcile(&args, 0).await, Reconciled::NotApplied { .. }));
}

#[tokio::test]
async fn a_haproxy_that_does_not_answer_or_has_other_servers_is_named() {
    let Some(mut rig) = rig().await else { return };
    rig.router.backends.insert("red".to_owned(), vec!["red".to_owned()]);
    let fault = rig.routes().await.expect_err("there is no red");
    assert!(fault.message.contains("HAProxy has no server web/red"), "{fault}");
    rig.router.backends.retain(|name, _| name == "green");
    let fault = rig.routes().await.expect_err("blue takes everything");
    assert!(fault.message.contains("web/blue takes traffic too"), "{fault}");
    rig.router.proxy = "shop".to_owned();
    assert!(rig.routes().await.expect_err("no shop").message.contains("HAProxy says of shop: Can't find backend"));
    rig.router.socket = HaproxySocket::Unix(rig.path("none.sock"));
    let fault = rig.routes().await.expect_err("nobody");
    assert_eq!((fault.code.as_str(), fault.target.as_deref()), ("routes-unknown", Some("lb")));
}
