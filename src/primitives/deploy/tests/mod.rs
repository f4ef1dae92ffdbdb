//! Deployments of a real service over HTTP: it serves what was last copied to the file `loaded`, as a process serves what it read
//! at its start.

mod command;
mod mistakes;
mod release;
mod signal;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Config;
use crate::model::{Arg, Fault, IdempotencyKey, Key, Segment};
use crate::primitives::targets::HttpService;
use crate::primitives::version::{self, Version};
use crate::primitives::{Driver, FromTarget, Observer, Preview, Reconciled};
use crate::system::{Act, Look, System};

use super::{Args, Deploy, Output};

/// A service, and the directory that its files are in.
struct Place {
    dir: tempfile::TempDir,
    service: HttpService,
    act: Act,
}

/// Serves `loaded`: its first word is the version. A version that begins with `ill` is not healthy; nor is no version at all. Which one
/// it is, it says all the same. What lies in `next` is loaded behind the next answer.
fn serve(loaded: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut request, mut chunk) = (Vec::new(), [0; 1024]);
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
                    _ => break,
                }
            }
            let version = fs::read_to_string(&loaded).unwrap_or_default();
            let version = version.trim();
            let ill = version.is_empty() || version.starts_with("ill");
            let status = if ill && !request.starts_with(b"GET /version") { "500 Ill" } else { "200 OK" };
            let _ = fs::rename(loaded.with_file_name("next"), &loaded);
            let body = format!("{{\"version\":\"{version}\"}}");
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    port
}

impl Place {
    /// A service whose table `deploy` has these lines; `DIR` stands for its directory.
    fn new(deploy: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let port = serve(dir.path().join("loaded"));
        let text = format!(
            "[environments.test.services.web]\ndriver = \"http\"\nurl = \"http://127.0.0.1:{port}/health\"\npid_file = \"pid\"\n\
             [environments.test.services.web.deploy]\n{}",
            deploy.replace("DIR", &dir.path().to_string_lossy())
        );
        let config = Config::parse(&dir.path().join("lifeboat.toml"), text.into()).expect("it is right");
        let environment = &config.environments["test"];
        let target = &environment.targets["web"];
        let service = HttpService::from_target(target.settings().expect("settings"), target, environment);
        let service = service.expect("it is right");
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        Self { dir, service, act }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("in the directory")).expect("a directory");
        fs::write(path, text).expect("writes");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default().trim().to_owned()
    }

    async fn call(&self, args: &Args, call: u32) -> Result<Output, Fault> {
        Driver::<Deploy>::perform(&self.service, args, &self.act, &key(call)).await
    }

    async fn deploy(&self, version: &str, call: u32) -> Result<Output, Fault> {
        self.call(&args(version), call).await
    }

    async fn preview(&self, args: &Args) -> Result<Preview, Fault> {
        Driver::<Deploy>::preview(&self.service, args, &self.act).await
    }

    async fn reconcile(&self, version: &str, call: u32) -> Reconciled<Output> {
        Driver::<Deploy>::reconcile(&self.service, &args(version), &self.act, &key(call)).await
    }

    async fn version(&self) -> Result<version::Output, Fault> {
        Observer::<Version>::observe(&self.service, &version::Args { target: "web".to_owned() }, &self.act).await
    }

    async fn live(&self) -> Option<String> {
        self.version().await.expect("it can be told").version
    }
}

fn args(version: &str) -> Args {
    Args { target: "web".to_owned(), version: Arg::Known(Some(version.to_owned())), restart: false, health: true }
}

fn key(call: u32) -> IdempotencyKey {
    IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call)))
}

/// The names in a directory, hidden ones too.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
