//! Whatever a client sends is answered, and by the rules of every answer: no 500, a request id, and a problem where it is a refusal. The
//! services are whole, on embedded storage, and spoken to over HTTP; a panic in any of their threads ends the run.
#![no_main]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::thread;

use actix_web::rt::System;
use auth_service::domain::device::{DeviceName, Fingerprint};
use auth_service::domain::refresh::IdempotencyKey;
use auth_service::domain::user::{Email, Username};
use latchkey_fuzz::replaced;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret;
use serde_json::Value;
use shared_claims::{SystemClock, generate_secret};
use tempfile::TempDir;

/// What LeakSanitizer asks: actix-web keeps the names in its routes for as long as the process lives, on purpose.
#[unsafe(no_mangle)]
extern "C" fn __lsan_is_turned_off() -> i32 {
    1
}

#[derive(Arbitrary, Debug)]
struct Request<'a> {
    call: u8,
    is_authorized: bool,
    headers: Vec<(u8, &'a [u8])>,
    /// In the place of an id in the path.
    id: &'a [u8],
    query: &'a [u8],
    body: Body<'a>,
}

#[derive(Arbitrary, Debug)]
enum Body<'a> {
    Whole(&'a [u8]),
    /// A good one with a piece replaced.
    Patched {
        at: u16,
        length: u8,
        text: &'a str,
    },
}

fuzz_target!(|request: Request<'_>| {
    if let Body::Patched { text, .. } = &request.body {
        read_texts(text, request.query);
    }
    let (service, bytes) = request.written();
    let answer = SERVICES[service].lock().expect("nobody panicked").ask(&bytes);
    answer.check(&String::from_utf8_lossy(&bytes));
});

/// What a login and a refresh read from texts of the client's, without the hashing of a password.
fn read_texts(text: &str, bytes: &[u8]) {
    if IdempotencyKey::parse(bytes).is_ok() {
        assert!((16..=128).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic));
    }
    drop(DeviceName::parse(Some(text), None));
    drop(DeviceName::parse(None, Some(text)));
    drop(Username::parse(text));
    drop(Email::parse(text));
    drop(Fingerprint::parse(Some(text.to_owned())));
}

const AUTH: usize = 0;
const JOBS: usize = 1;

/// Each call that reads something of its request; those that would end the session that asks are left out.
const CALLS: [(usize, &str, &str, &str); 14] = [
    (AUTH, "POST", "/login", r#"{"username":"ada","password":"not her password","fingerprint":"f","deviceName":"d"}"#),
    (AUTH, "POST", "/refresh-token", r#"{"refreshToken":"REFRESH","fingerprint":"f"}"#),
    (AUTH, "POST", "/logout", r#"{"refreshToken":"REFRESH"}"#),
    (AUTH, "POST", "/register", r#"{"username":"eve","email":"eve@example.test","password":"a long enough one"}"#),
    (AUTH, "GET", "/current-user", ""),
    (AUTH, "PUT", "/current-user/password", r#"{"currentPassword":"not hers","newPassword":"a long enough one"}"#),
    (AUTH, "GET", "/sessions", ""),
    (AUTH, "DELETE", "/sessions/{id}", ""),
    (JOBS, "GET", "/job-list", ""),
    (JOBS, "POST", "/jobs", r#"{"title":"Water the ferns","description":"All of them","status":"open"}"#),
    (JOBS, "GET", "/jobs/{id}", ""),
    (JOBS, "PUT", "/jobs/{id}", r#"{"title":"Water the ferns","description":"","status":"in_progress"}"#),
    (JOBS, "DELETE", "/jobs/{id}", ""),
    (JOBS, "GET", "/{id}", ""),
];

/// None of them frames the request, which is this target's own business; `system-tests` have the forms of smuggling.
const HEADERS: [&str; 13] = [
    "authorization",
    "idempotency-key",
    "x-forwarded-for",
    "traceparent",
    "tracestate",
    "user-agent",
    "accept",
    "accept-encoding",
    "content-type",
    "content-encoding",
    "x-request-id",
    "origin",
    "cookie",
];

impl Request<'_> {
    /// The service that it is for, and its bytes.
    fn written(&self) -> (usize, Vec<u8>) {
        let (service, method, path, good_body) = CALLS[usize::from(self.call) % CALLS.len()];
        let mut bytes = format!("{method} ").into_bytes();
        let is_target = |byte: &u8| byte.is_ascii_graphic() && *byte != b'#';
        let (before, after) = path.split_once("{id}").unwrap_or((path, ""));
        bytes.extend(before.bytes());
        if before != path {
            bytes.extend(self.id.iter().copied().filter(is_target));
        }
        bytes.extend(after.bytes().chain([b'?']));
        bytes.extend(self.query.iter().copied().filter(is_target));
        bytes.extend(b" HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in self.headers.iter().take(20) {
            bytes.extend(format!("{}: ", HEADERS[usize::from(*name) % HEADERS.len()]).bytes());
            bytes.extend(value.iter().copied().filter(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)));
            bytes.extend(b"\r\n");
        }
        if self.is_authorized {
            bytes.extend(format!("authorization: Bearer {}\r\n", HOUSE.access_token).bytes());
        }
        let body = match &self.body {
            Body::Whole(body) => body.to_vec(),
            Body::Patched { .. } if good_body.is_empty() => Vec::new(),
            Body::Patched { at, length, text } => {
                let good = good_body.replace("REFRESH", &HOUSE.refresh_token);
                bytes.extend(b"content-type: application/json\r\n");
                replaced(&good, *at, *length, text).into_bytes()
            }
        };
        bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
        bytes.extend(body);
        (service, bytes)
    }
}

struct House {
    addresses: [SocketAddr; 2],
    access_token: String,
    refresh_token: String,
    _data: TempDir,
}

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let data = TempDir::new().expect("a directory");
    let [access, refresh] = [generate_secret(), generate_secret()];
    let environment = |database: &str| {
        [
            ("SERVER__PORT", "0".to_owned()),
            ("SERVER__TRUSTED_PROXIES", "127.0.0.0/8".to_owned()),
            ("SERVER__ALLOWED_ORIGINS", "https://app.example.test".to_owned()),
            ("TOKENS__ACCESS_SECRET", access.expose_secret().to_owned()),
            ("TOKENS__REFRESH_SECRET", refresh.expose_secret().to_owned()),
            ("DATABASE__URL", format!("sqlite:{}", data.path().join(database).display())),
            ("DEMO", "true".to_owned()),
        ]
        .map(|(name, value)| (format!("LATCHKEY_{name}"), value))
    };
    let auth = auth_service::Config::load(None, environment("auth.db")).expect("a configuration");
    let jobs = jobs_service::Config::load(None, environment("jobs.db")).expect("a configuration");
    let addresses = [
        serve(move |told| async move {
            let service = auth_service::Application::build(&auth, Arc::new(SystemClock)).await.expect("it starts");
            told.send(service.address()).expect("somebody waits");
            service.run(std::future::pending()).await
        }),
        serve(move |told| async move {
            let service = jobs_service::Application::build(&jobs, Arc::new(SystemClock)).await.expect("it starts");
            told.send(service.address()).expect("somebody waits");
            service.run(std::future::pending()).await
        }),
    ];
    // One session asks and stays; the other's refresh token is spent and revoked as it comes.
    let (asking, other) = (login(addresses[AUTH]), login(addresses[AUTH]));
    let token = |pair: &Value, name: &str| pair[name].as_str().expect("a token").to_owned();
    House {
        addresses,
        access_token: token(&asking, "accessToken"),
        refresh_token: token(&other, "refreshToken"),
        _data: data,
    }
});

fn serve<F, R>(run: F) -> SocketAddr
where
    F: FnOnce(mpsc::Sender<SocketAddr>) -> R + Send + 'static,
    R: Future<Output = std::io::Result<()>>,
{
    let (tell, told) = mpsc::channel();
    thread::spawn(move || System::new().block_on(run(tell)));
    told.recv().expect("the service listens")
}

fn login(address: SocketAddr) -> Value {
    let body = r#"{"username":"ada","password":"latchkey-demo-ada"}"#;
    let head = "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
    let answer = Line::to(address).ask(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    assert_eq!(answer.status, 200);
    serde_json::from_slice(&answer.body).expect("JSON")
}

static SERVICES: LazyLock<[Mutex<Line>; 2]> =
    LazyLock::new(|| HOUSE.addresses.map(|address| Mutex::new(Line::to(address))));

/// A connection that is opened again where it was closed.
struct Line {
    address: SocketAddr,
    open: Option<BufReader<TcpStream>>,
}

impl Line {
    fn to(address: SocketAddr) -> Self {
        Self { address, open: None }
    }

    fn ask(&mut self, request: &[u8]) -> Answer {
        let used = self.open.take();
        // One that was used before may have been closed meanwhile.
        let answered = used.and_then(|mut line| Some((read(&mut line, request).ok()?, line)));
        let (answer, line) = answered.unwrap_or_else(|| {
            let stream = TcpStream::connect(self.address).expect("the service listens");
            stream.set_nodelay(true).expect("an open connection");
            let mut line = BufReader::new(stream);
            (read(&mut line, request).expect("an answer"), line)
        });
        self.open = (!answer.closes).then_some(line);
        answer
    }
}

struct Answer {
    status: u16,
    head: String,
    closes: bool,
    body: Vec<u8>,
}

fn read(line: &mut BufReader<TcpStream>, request: &[u8]) -> std::io::Result<Answer> {
    line.get_mut().write_all(request)?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if line.read_line(&mut head)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let length = header(&head, "content-length").map_or(0, |length| length.parse().expect("a length"));
    let mut body = vec![0; length];
    line.read_exact(&mut body)?;
    Ok(Answer { status, closes: header(&head, "connection") == Some("close"), head, body })
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.split_once(": ").filter(|(found, _)| *found == name)).map(|(_, value)| value)
}

impl Answer {
    fn check(&self, request: &str) {
        let Self { status, head, body, .. } = self;
        // A machine with much to do may be too slow for a store's deadline.
        assert!(*status < 500 || *status == 503, "{request}\n{head}");
        assert!(header(head, "x-request-id").is_some_and(|id| (1..=64).contains(&id.len())), "{request}\n{head}");
        assert_eq!(header(head, "x-content-type-options"), Some("nosniff"), "{request}\n{head}");
        if *status >= 400 {
            assert_eq!(header(head, "content-type"), Some("application/problem+json"), "{request}\n{head}");
            let problem: Value = serde_json::from_slice(body).expect("JSON");
            assert!(problem["code"].is_string() && problem["status"] == *status, "{request}\n{problem}");
            let is_of_token = problem["code"].as_str().is_some_and(|code| code.starts_with("access_token_"));
            assert_eq!(is_of_token, header(head, "www-authenticate").is_some(), "{request}\n{head}");
        }
    }
}
