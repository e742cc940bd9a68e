//! Clients that mean no good: they keep connections open and say next to nothing, or never read, or never stop, or try token after
//! token, or all log in at once. Good clients hardly notice, and neither memory nor the log fills.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use shared_claims::{Clock, SystemClock};
use system_tests::client::Client;
use system_tests::device::Device;
use system_tests::program::{Program, Service};
use system_tests::proof::crowd::metric;
use system_tests::proof::logins;
use system_tests::proof::tally::Tally;
use system_tests::site::{Site, Storage};
use system_tests::waiting::{PATIENCE, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};

/// A good request is answered within this time, whoever else is there.
const PROMPT: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 1_000;
/// What a service may take in memory for a thousand connections that do nothing.
const MEMORY: u64 = 64 << 20;

/// Held by each of these tests while it runs: they look at how long others wait, and two crowds at once are not what they ask about.
static TURN: Mutex<()> = Mutex::const_new(());

async fn service() -> ((MutexGuard<'static, ()>, Site), Service, Device) {
    let turn = TURN.lock().await;
    let site = Site::open(Storage::Embedded, &[]).await;
    let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let device = Device::login(&service.client(), &site.person(SystemClock.now()).await).await;
    ((turn, site), service, device)
}

/// What each of the slow ones has sent when it falls silent.
fn beginnings(token: &str) -> [String; 3] {
    [
        "POST /login HTTP/1.1\r\nhost: a\r\nx-slow: ".to_owned(),
        "POST /login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n{".to_owned(),
        // Answers of which none is read.
        format!("GET /current-user HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n").repeat(2),
    ]
}

async fn open_and_fall_silent(address: SocketAddr, beginning: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(beginning.as_bytes()).await.expect("the service takes what it has room for");
    stream
}

async fn memory(client: &Client) -> u64 {
    metric(client, "process_resident_memory_bytes").await
}

async fn goes_on_promptly(device: &mut Device, client: &Client) {
    for _ in 0..20 {
        let answer = timeout(PROMPT, device.refresh(client)).await.expect("an answer within a second");
        assert_eq!(answer.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn a_thousand_slow_connections_leave_good_requests_prompt() {
    let (ground, service, mut device) = service().await;
    let client = service.client();
    let open_files = || service.open_files_outside(ground.1.directory());
    goes_on_promptly(&mut device, &client).await;
    let (files, before) = (open_files(), memory(&client).await);
    let beginnings = beginnings(&device.tokens.access_token);
    let opening = (0..CONNECTIONS).map(|number| open_and_fall_silent(service.address, &beginnings[number % 3]));
    let slow = join_all(opening).await;
    goes_on_promptly(&mut device, &client).await;
    let taken = memory(&client).await.saturating_sub(before);
    assert!(taken < MEMORY, "a thousand connections take {taken} bytes");
    drop(slow);
    let are_gone = async || (open_files() <= files).then_some(());
    eventually("nothing is kept of the slow ones", are_gone).await;
    goes_on_promptly(&mut device, &client).await;
}

#[tokio::test]
async fn a_thousand_bad_tokens_cost_the_rest_nothing_and_are_no_flood_in_the_log() {
    let (_site, service, mut device) = service().await;
    let client = service.client();
    let token = &device.tokens.access_token;
    let bad = [format!("{token}x"), token.replace('.', ""), "x".repeat(20_000), "a.b.c".to_owned()];
    let began = Instant::now();
    let attack = async {
        for _ in 0..25 {
            let sent = (0..40).map(|number| client.current_user(&bad[number % bad.len()]));
            for answer in join_all(sent).await {
                assert!([401, 431].contains(&answer.status), "{answer:?}");
            }
        }
    };
    let good = service.client();
    tokio::join!(attack, goes_on_promptly(&mut device, &good));
    println!("a thousand bad tokens in {:?}", began.elapsed());
    // Each request has its line, and none of them is more than that.
    let log = service.log();
    let lines = log.lines().filter(|line| line.contains("\"status\":401")).count();
    assert!(lines <= 1_000, "{lines} lines");
    let warnings: Vec<_> = log.lines().filter(|line| !line.contains("\"level\":\"INFO\"")).collect();
    assert!(warnings.is_empty(), "{warnings:?}");
}

/// What a body that never ends, or that would never end once it is unpacked, may take in memory.
const MEMORY_OF_FLOODS: u64 = 16 << 20;
const HEAD: &str = "POST /login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";

/// Sends a beginning, then this piece again and again, each after a pause, until the service has answered with a problem.
async fn flooded(address: SocketAddr, beginning: &str, piece: &[u8], pause: Duration) -> String {
    let (mut reading, mut writing) = TcpStream::connect(address).await.expect("a connection").into_split();
    let flooding = async {
        let mut written = writing.write_all(beginning.as_bytes()).await;
        while written.is_ok() {
            written = writing.write_all(piece).await;
            tokio::time::sleep(pause).await;
        }
        // Cut off; what was answered has yet to be read.
        std::future::pending().await
    };
    let answering = async {
        let mut answer = Vec::new();
        while !answer.contains(&b'}') && reading.read_buf(&mut answer).await.is_ok_and(|count| count > 0) {}
        String::from_utf8(answer).expect("text")
    };
    let answered = async {
        tokio::select! {
            answer = answering => answer,
            never = flooding => never,
        }
    };
    timeout(PATIENCE, answered).await.expect("it is cut off")
}

#[rstest]
#[case::chunks_without_end("", &format!("1000\r\n{}\r\n", " ".repeat(0x1000)), Duration::ZERO, 413)]
#[case::chunks_that_trickle("", "1\r\n \r\n", Duration::from_millis(50), 408)]
#[case::a_chunk_extension_without_end("1;", &"x".repeat(0x1000), Duration::from_millis(5), 408)]
#[case::an_extension_for_each_byte("", &"1;x=yyyyyyyy\r\n \r\n".repeat(300), Duration::ZERO, 413)]
#[case::a_size_without_end("", &"0".repeat(0x1000), Duration::from_millis(5), 408)]
#[tokio::test]
async fn a_body_without_end_is_cut_off(
    #[case] beginning: &str,
    #[case] piece: &str,
    #[case] pause: Duration,
    #[case] status: u16,
) {
    let (_site, service, mut device) = service().await;
    let client = service.client();
    let before = memory(&client).await;
    let head = format!("{HEAD}transfer-encoding: chunked\r\n\r\n{beginning}");
    let (answer, ()) =
        tokio::join!(flooded(service.address, &head, piece.as_bytes(), pause), goes_on_promptly(&mut device, &client));
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    let taken = memory(&client).await.saturating_sub(before);
    assert!(taken < MEMORY_OF_FLOODS, "it took {taken} bytes");
}

/// Where gzip of zeros begins; each zero byte that follows unpacks to 1,032 more of them.
const BOMB: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xec\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08\x0a";

#[rstest]
#[tokio::test]
async fn a_bomb_is_refused_and_not_unpacked(
    #[values("gzip", "gzip, gzip", "x-gzip", "deflate", "br", "identity, gzip")] coding: &str,
    // Sixteen million bytes once unpacked; and four thousand millions, of which the service cannot know that they come.
    #[values("content-length: 16000", "transfer-encoding: chunked")] framing: &str,
) {
    let (_site, service, mut device) = service().await;
    let client = service.client();
    let before = memory(&client).await;
    let is_chunked = framing.ends_with("chunked");
    let body = [BOMB, &vec![0; 16_000 - BOMB.len()]].concat();
    let piece = if is_chunked { [b"3e80\r\n", &body[..], b"\r\n"].concat() } else { body };
    let beginning = format!("{HEAD}content-encoding: {coding}\r\n{framing}\r\n\r\n");
    let answer = flooded(service.address, &beginning, &piece, Duration::ZERO).await;
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
    assert!(answer.contains("urn:latchkey:problem:unsupported_media_type"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("accept-encoding: identity\r\n"), "it says what it takes: {answer}");
    let taken = memory(&client).await.saturating_sub(before);
    assert!(taken < MEMORY_OF_FLOODS, "it took {taken} bytes");
    goes_on_promptly(&mut device, &client).await;
}

#[rstest]
#[tokio::test]
async fn two_hundred_logins_at_once_leave_every_refresh_and_job_list_served_in_little_memory(
    #[values(Storage::Embedded, Storage::Distributed)] storage: Storage,
) {
    let _turn = TURN.lock().await;
    logins::beside_clients(storage, 1, &Tally::default()).await;
}
