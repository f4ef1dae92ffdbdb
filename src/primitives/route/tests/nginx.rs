//! nginx.

use std::process::{Command, Stdio};

use super::*;
use crate::model::{Applied, Symbol};
use crate::primitives::targets::NginxRouter;
use crate::system::free_ports;

const HAND_WRITTEN: &str = "# ours\nupstream web {\n  server BLUE; # all of it\n  server GREEN down;\n}\n";

async fn rig() -> Option<Rig<NginxRouter>> {
    let program = program("nginx")?;
    let dir = tempfile::tempdir().expect("a directory");
    let [port] = free_ports().expect("a port");
    let place = dir.path().display().to_string();
    let [blue, green] = ["blue", "green"].map(|name| format!("127.0.0.1:{}", serve(name, dir.path().join("slow"))));
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {place}/{kind};\n"))
        .concat();
    let config = format!(
        "daemon off;\nworker_processes 1;\npid {place}/nginx.pid;\nerror_log {place}/error.log;\nevents {{}}\nhttp {{\n{temporary}  \
         access_log off;\n  keepalive_requests 10000;\n  include {place}/upstream.conf;\n  server {{\n    listen 127.0.0.1:{port};\n    \
         location / {{ proxy_pass http://web; }}\n  }}\n}}\n"
    );
    fs::write(dir.path().join("nginx.conf"), config).expect("writes");
    fs::write(dir.path().join("upstream.conf"), HAND_WRITTEN.replace("BLUE", &blue).replace("GREEN", &green))
        .expect("writes");
    let arguments =
        ["-p", &place, "-c", &format!("{place}/nginx.conf"), "-e", &format!("{place}/error.log")].map(str::to_owned);
    let process = Command::new(&program).args(&arguments).stderr(Stdio::null()).spawn().expect("starts");
    let argv = |more: &[&str]| {
        let program = program.display().to_string();
        let words: Vec<&str> = [program.as_str()]
            .into_iter()
            .chain(arguments.iter().map(String::as_str))
            .chain(more.iter().copied())
            .collect();
        format!("{words:?}")
    };
    let lines = format!(
        "driver = \"nginx\"\nupstream_file = \"upstream.conf\"\nupstream = \"web\"\nsettle = \"700ms\"\n\
         backends = {{ blue = \"{blue}\", green = \"{green} max_fails=2\" }}\ntest = {}\nreload = {}\n",
        argv(&["-t"]),
        argv(&["-s", "reload"])
    );
    let router = router(dir.path(), &lines);
    let rig = Rig { act: act(dir.path()), dir, router, process, port };
    for _ in 0..1_000 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(rig);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nginx does not answer: {}", fs::read_to_string(rig.path("error.log")).unwrap_or_default())
}

#[tokio::test]
async fn traffic_goes_where_it_is_sent_and_back() {
    let Some(rig) = rig().await else { return };
    rig.shifts_traffic().await;
    let file = fs::read_to_string(rig.path("upstream.conf")).expect("reads");
    assert!(file.starts_with("# Written by lifeboat for the router lb"), "{file}");
    assert!(file.contains(" max_fails=2 down;") && file.contains(" weight=100;"), "{file}");
}

#[tokio::test]
async fn a_plan_reads_what_was_written_by_hand_and_touches_nothing() {
    let Some(rig) = rig().await else { return };
    let before = fs::read_to_string(rig.path("upstream.conf")).expect("reads");
    let preview = rig.preview(&to("green", 10)).await;
    assert_eq!(
        (preview.symbol, preview.summary.as_str()),
        (Symbol::Change, "lb: blue 100 %, green 0 % → blue 90 %, green 10 %")
    );
    assert_eq!(rig.preview(&to("blue", 100)).await.symbol, Symbol::Nothing);
    assert_eq!(fs::read_to_string(rig.path("upstream.conf")).expect("reads"), before);
}

#[tokio::test]
async fn a_configuration_that_nginx_refuses_is_put_back() {
    let Some(mut rig) = rig().await else { return };
    let before = fs::read_to_string(rig.path("upstream.conf")).expect("reads");
    rig.router.options = vec!["nonsense on".to_owned()];
    let fault = rig.route(&to("green", 10), 0).await.expect_err("nginx refuses it");
    assert_eq!((fault.code.as_str(), fault.applied), ("route-failed", Applied::No));
    assert!(
        fault.message.contains("nonsense") && fault.message.ends_with("upstream.conf is again as it was"),
        "{fault}"
    );
    assert_eq!(fs::read_to_string(rig.path("upstream.conf")).expect("reads"), before);
    assert_eq!(rig.answers(50), BTreeMap::from([("blue".to_owned(), 50)]));
    // Nothing is left to be done: what was put back counts.
    assert!(!rig.route(&to("blue", 100), 1).await.expect("nothing to do").changed);
}

#[tokio::test]
async fn a_reload_that_fails_is_taken_back_and_nobody_knows_whether_nginx_had_read_it() {
    let Some(mut rig) = rig().await else { return };
    let before = fs::read_to_string(rig.path("upstream.conf")).expect("reads");
    rig.router.reload.words = vec!["false".to_owned()];
    let fault = rig.route(&to("green", 10), 0).await.expect_err("it fails");
    assert_eq!((fault.code.as_str(), fault.applied), ("route-failed", Applied::Unknown));
    assert_eq!(fs::read_to_string(rig.path("upstream.conf")).expect("reads"), before);
    assert!(matches!(rig.reconcile(&to("green", 10), 0).await, Reconciled::Unknown { .. }));
    // The next one does not take the file's word for it.
    rig.router.reload.words = vec!["true".to_owned()];
    assert!(rig.route(&to("blue", 100), 1).await.expect("reloads").changed);
}

#[tokio::test]
async fn a_crash_is_settled_by_the_file_once_nginx_was_told() {
    let Some(rig) = rig().await else { return };
    let args = to("green", 30);
    assert!(matches!(rig.reconcile(&args, 0).await, Reconciled::NotApplied { .. }));
    rig.route(&args, 0).await.expect("routes");
    let Reconciled::Applied { output, .. } = rig.reconcile(&args, 0).await else { panic!("it was") };
    assert_eq!((output.before, output.shares), (shares(100, 0), shares(70, 30)));
}

#[tokio::test]
async fn a_file_that_is_not_an_upstream_is_left_alone() {
    let Some(rig) = rig().await else { return };
    let upstream = fs::read_to_string(rig.path("upstream.conf")).expect("reads");
    for (text, says) in [
        (format!("{upstream}\nserver {{ listen 80; }}"), "it holds more than the upstream"),
        ("upstream shop { server 127.0.0.1:1; }".to_owned(), "it is not an upstream web"),
        ("upstream web { server 127.0.0.1:1; }".to_owned(), "127.0.0.1:1 takes traffic too"),
        (upstream.replace(" down", " weight=x"), "has an odd weight"),
        (String::new(), "it is not an upstream web"),
    ] {
        fs::write(rig.path("upstream.conf"), &text).expect("writes");
        let fault = rig.route(&to("green", 10), 0).await.expect_err("refused");
        assert!(fault.code == "routes-unknown" && fault.message.contains(says), "{fault}");
        assert_eq!(fs::read_to_string(rig.path("upstream.conf")).expect("reads"), text);
    }
}
