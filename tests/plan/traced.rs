//! The program under `strace`: every process it starts, every address it contacts, every file it could change.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use crate::sandbox::{PROGRAM, Said, Sandbox};

/// Calls of the system that start something, contact somebody, or change what lies on a disk or another process.
const CALLS: &str = "execve,execveat,fork,vfork,clone,clone3,connect,sendto,sendmsg,bind,listen,open,openat,openat2,creat,\
    unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,mknod,mknodat,truncate,\
    ftruncate,fallocate,chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,utimensat,setxattr,fsetxattr,removexattr,\
    mount,kill,tkill,tgkill,pidfd_send_signal,ptrace,sendfile,copy_file_range";

/// What the program did. Calls that failed are left out, but for those that contact somebody.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Programs that were started, the program itself left out.
    pub(crate) started: Vec<String>,
    /// Addresses that were contacted.
    pub(crate) contacted: BTreeSet<String>,
    /// Files that were opened for writing.
    pub(crate) opened_to_write: BTreeSet<String>,
    /// Every other call that changes something.
    pub(crate) others: Vec<String>,
}

/// Runs the program under `strace`. `None` when there is none; that is a failure where nobody would notice.
pub(crate) fn lifeboat(sandbox: &Sandbox, arguments: &[&str]) -> Option<(Said, Trace)> {
    let out = tempfile::NamedTempFile::new().expect("a file");
    let path = out.path().to_str().expect("text");
    let mut command = sandbox.command("strace");
    // -y shows the file behind a number, -f follows threads, -s shows whole paths.
    command.args(["-f", "-yy", "-s", "4096", "-qq", "-e", &format!("trace={CALLS}"), "-o", path, PROGRAM]);
    let output = match command.args(arguments).output() {
        Ok(output) => output,
        Err(error) => {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "strace is needed to trust plans: {error}");
            let why = format!("NOT TESTED: strace cannot be started ({error}); install it to trust plans\n");
            let _ = std::io::stderr().write_all(why.as_bytes());
            return None;
        }
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes text");
    let said = Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    let trace = std::fs::read_to_string(out.path()).expect("a trace");
    assert!(trace.contains("execve("), "strace could not follow the program: {}", said.tail());
    Some((said, read(&trace)))
}

fn read(text: &str) -> Trace {
    let mut trace = Trace::default();
    for line in whole_calls(text) {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let failed = rest.rsplit_once(") = ").is_some_and(|(_, result)| result.trim_start().starts_with('-'));
        match name {
            "execve" if rest.starts_with(&format!("{PROGRAM:?}")) => {}
            // A thread is no process of its own.
            "clone" | "clone3" if rest.contains("CLONE_THREAD") => {}
            "execve" | "execveat" | "fork" | "vfork" | "clone" | "clone3" => trace.started.push(line),
            "connect" | "sendto" | "sendmsg" => trace.contacted.extend(address(rest)),
            "open" | "openat" | "openat2" | "creat" => {
                let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"];
                if !failed && (name == "creat" || writes.iter().any(|flag| rest.contains(flag))) {
                    trace.opened_to_write.insert(file(rest));
                }
            }
            // SQLite makes the memory longer that processes share, and gives what it keeps beside a database the database's owner.
            "ftruncate" | "fallocate" if rest.contains("-shm>") => {}
            "fchown" if rest.contains("-shm>") || rest.contains("-wal>") => {}
            _ if !failed => trace.others.push(line),
            _ => {}
        }
    }
    trace
}

/// Calls without process numbers; those that strace wrote in two parts are put together again.
fn whole_calls(text: &str) -> Vec<String> {
    let mut begun: Vec<(String, String)> = Vec::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(beginning) = call.strip_suffix("<unfinished ...>") {
            begun.push((pid.to_owned(), beginning.to_owned()));
        } else if let Some((_, end)) = call.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            let at = begun.iter().rposition(|(of, _)| of == pid);
            let beginning = at.map_or_else(String::new, |at| begun.remove(at).1);
            calls.push(format!("{beginning}{end}"));
        } else if !call.starts_with("---") && !call.starts_with("+++") {
            calls.push(call.to_owned());
        }
    }
    // Ended with the process; what was begun counts.
    calls.extend(begun.into_iter().map(|(_, beginning)| beginning));
    calls
}

/// `127.0.0.1:80`, or the whole of what is no address of the internet.
fn address(call: &str) -> Option<String> {
    let between = |from: &str, to: &str| call.split_once(from)?.1.split_once(to).map(|(found, _)| found.to_owned());
    match (between("sin_port=htons(", ")"), between("inet_addr(\"", "\"")) {
        (Some(port), Some(host)) => Some(format!("{host}:{port}")),
        // What goes over a connection goes where the connection went.
        _ if call.contains("<TCP:[") => None,
        // Threads wake each other through pairs of sockets of their own.
        _ if call.contains("<UNIX-STREAM:[") && !call.contains("sun_path") => None,
        _ => Some(call.to_owned()),
    }
}

fn file(call: &str) -> String {
    call.split('"').nth(1).unwrap_or(call).to_owned()
}

/// Every file of a directory with its content, but for what SQLite keeps beside a database that is read.
pub(crate) fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a directory").flatten() {
            let name = entry.path().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if !is_beside_a_database(&name) {
                found.push((name, std::fs::read(entry.path()).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

/// The files through which readers and writers of a SQLite database agree.
pub(crate) fn is_beside_a_database(name: &str) -> bool {
    name.ends_with("-shm") || name.ends_with("-wal")
}

#[test]
fn the_trace_is_read_as_strace_writes_it() {
    let program = format!("{PROGRAM:?}");
    let trace = read(&format!(
        r#"7 execve({program}, ["lifeboat"], 0x7 /* 9 vars */) = 0
7 openat(AT_FDCWD</p>, "/p/a.rhai", O_RDONLY|O_CLOEXEC) = 3</p/a.rhai>
7 openat(AT_FDCWD</p>, "/p/gone", O_RDWR|O_CREAT, 0644) = -1 EACCES (Permission denied)
7 openat(AT_FDCWD</p>, "/p/b", O_WRONLY|O_CREAT, 0644 <unfinished ...>
8 connect(5<TCP:[9]>, {{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}}, 16) = -1 EINPROGRESS
7 <... openat resumed>) = 4</p/b>
8 clone3({{flags=CLONE_VM|CLONE_THREAD, stack=0x7}}, 88) = 9
8 vfork() = 10
10 execve("/bin/sh", ["sh"], 0x7 /* 9 vars */) = 0
8 unlink("/p/b") = 0
8 unlink("/p/c") = -1 ENOENT (No such file or directory)
8 +++ exited with 0 +++"#
    ));
    assert_eq!(trace.started.len(), 2, "{:?}", trace.started);
    assert_eq!(trace.contacted.into_iter().collect::<Vec<_>>(), ["127.0.0.1:80"]);
    assert_eq!(trace.opened_to_write.into_iter().collect::<Vec<_>>(), ["/p/b"]);
    assert_eq!(trace.others, [r#"unlink("/p/b") = 0"#]);
}
