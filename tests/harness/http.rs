//! A small HTTP server that keeps every request, and can be told to be ill.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {:?}", self.body))
    }
}

/// What the server does with the next request, instead of answering it.
#[derive(Clone, Debug)]
pub(crate) enum Ill {
    /// It hangs up before it reads.
    HangsUp,
    /// It takes the request, and never answers.
    FallsSilent,
    /// It takes the request, and answers this: status line, more headers, body.
    Answers(&'static str, &'static str, String),
}

/// How requests are answered: status line, content type, body.
pub(crate) type Answer = Box<dyn Fn(&Request) -> (&'static str, &'static str, String) + Send + Sync>;

struct State {
    answer: Answer,
    requests: Mutex<Vec<Request>>,
    ills: Mutex<VecDeque<Ill>>,
    stopped: AtomicBool,
}

/// The server. It ends with the value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

impl Server {
    pub(crate) fn start(answer: Answer) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a free port"), answer)
    }

    /// At an address at which there was none.
    pub(crate) fn start_at(address: SocketAddr, answer: Answer) -> Self {
        Self::on(TcpListener::bind(address).expect("the port is free again"), answer)
    }

    fn on(listener: TcpListener, answer: Answer) -> Self {
        let address = listener.local_addr().expect("its address");
        let state =
            State { answer, requests: Mutex::default(), ills: Mutex::default(), stopped: AtomicBool::new(false) };
        let state = Arc::new(state);
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = shared.clone();
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, state }
    }

    /// The next requests meet these, one each.
    pub(crate) fn ill(self, ills: impl IntoIterator<Item = Ill>) -> Self {
        self.state.ills.lock().expect("nobody panicked").extend(ills);
        self
    }

    /// From now on the next requests meet these.
    pub(crate) fn falls_ill(&self, ills: impl IntoIterator<Item = Ill>) {
        self.state.ills.lock().expect("nobody panicked").extend(ills);
    }

    /// Every request that was read whole, in their order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    /// One request a connection: the answer says so.
    fn serve(&self, stream: TcpStream) {
        let ill = self.ills.lock().expect("nobody panicked").pop_front();
        if matches!(ill, Some(Ill::HangsUp)) {
            return;
        }
        let mut reader = BufReader::new(stream);
        let Some(request) = read(&mut reader) else { return };
        self.requests.lock().expect("nobody panicked").push(request.clone());
        let (status, more, body) = match ill {
            Some(Ill::FallsSilent) => return drop(reader.read_to_end(&mut Vec::new())),
            Some(Ill::Answers(status, more, body)) => (status, more.to_owned(), body),
            _ => {
                let (status, kind, body) = (self.answer)(&request);
                (status, format!("Content-Type: {kind}\r\n"), body)
            }
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}");
        let _ = reader.get_mut().write_all(answer.as_bytes());
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut first = lines.first()?.split(' ').map(str::to_owned);
    let (method, path) = (first.next()?, first.next()?);
    let header = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: BTreeMap<_, _> = lines[1..].iter().filter_map(header).collect();
    let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().expect("a length"))];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body })
}
