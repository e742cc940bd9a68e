//! Clients that mean no good: they keep connections open and say next to nothing, or never read, or try token after token. Good clients
//! hardly notice, and the log does not fill.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use shared_claims::{Clock, SystemClock};
use system_tests::client::Client;
use system_tests::device::Device;
use system_tests::program::{Program, Service};
use system_tests::proof::crowd::metric;
use system_tests::site::{Site, Storage};
use system_tests::waiting::eventually;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// A good request is answered within this time, whoever else is there.
const PROMPT: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 1_000;
/// What a service may take in memory for a thousand connections that do nothing.
const MEMORY: u64 = 64 << 20;

/// Files that a crowd may leave open: connections to the database, of which sixteen are kept at the most, with two files each.
const FILES_OF_READERS: u64 = 2 * 16;

async fn service() -> (Site, Service, Device) {
    let site = Site::open(Storage::Embedded, &[]).await;
    let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let device = Device::login(&service.client(), &site.person(SystemClock.now()).await).await;
    (site, service, device)
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

async fn goes_on_promptly(device: &mut Device, client: &Client) {
    for _ in 0..20 {
        let answer = timeout(PROMPT, device.refresh(client)).await.expect("an answer within a second");
        assert_eq!(answer.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn a_thousand_slow_connections_leave_good_requests_prompt() {
    let (_site, service, mut device) = service().await;
    let client = service.client();
    goes_on_promptly(&mut device, &client).await;
    let (files, memory) =
        (metric(&client, "process_open_fds").await, metric(&client, "process_resident_memory_bytes").await);
    let beginnings = beginnings(&device.tokens.access_token);
    let opening = (0..CONNECTIONS).map(|number| open_and_fall_silent(service.address, &beginnings[number % 3]));
    let slow = join_all(opening).await;
    goes_on_promptly(&mut device, &client).await;
    let taken = metric(&client, "process_resident_memory_bytes").await.saturating_sub(memory);
    assert!(taken < MEMORY, "a thousand connections take {taken} bytes");
    drop(slow);
    let are_gone = async || (metric(&client, "process_open_fds").await <= files + FILES_OF_READERS).then_some(());
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
