//! Stopping and starting again, with the real program: what is in flight is finished, what was kept is still there.

use std::net::SocketAddr;
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;
use shared_claims::{Clock, SystemClock};
use system_tests::device::Device;
use system_tests::people::Person;
use system_tests::program::Program;
use system_tests::site::Site;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::waiting::eventually;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

fn auth_service(site: &Site) -> Program {
    Program::new("auth-service", site.directory(), site.environment(&[]))
}

/// A login whose head has been read by the service, and whose body it still waits for.
struct HalfLogin {
    stream: BufReader<TcpStream>,
    body: String,
}

impl HalfLogin {
    async fn begin(address: SocketAddr, person: &Person) -> Self {
        let body = person.credentials().to_string();
        let head = format!(
            "POST /login HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
            body.len()
        );
        let mut stream = BufReader::new(TcpStream::connect(address).await.expect("a connection"));
        stream.write_all(head.as_bytes()).await.expect("the head is sent");
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("the service asks for the body");
        assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
        Self { stream, body }
    }

    async fn finish(mut self) -> String {
        self.stream.write_all(self.body.as_bytes()).await.expect("the body is sent");
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }
}

#[rstest]
#[tokio::test]
async fn a_login_in_flight_is_finished_before_the_service_stops(#[values(Embedded, Distributed)] storage: Storage) {
    let site = Site::open(storage, &[]).await;
    let person = site.person(SystemClock.now()).await;
    let mut service = auth_service(&site).serve().await;
    let mut logins = Vec::new();
    for _ in 0..8 {
        logins.push(HalfLogin::begin(service.address, &person).await);
    }

    service.terminate();
    let address = service.address;
    let stopping = async {
        eventually("nothing more is accepted", async || TcpStream::connect(address).await.err()).await;
        for login in logins {
            let answer = login.finish().await;
            assert!(answer.contains("HTTP/1.1 200 OK\r\n") && answer.contains("accessToken"), "{answer}");
        }
        service.ended().await
    };
    let status = tokio::time::timeout(Duration::from_secs(10), stopping).await.expect("it stops within ten seconds");
    assert_eq!(status.code(), Some(0), "{}", service.log());
    assert!(!service.log().contains(&person.password), "a password is in the log");
}

#[rstest]
#[tokio::test]
async fn sessions_users_and_spent_tokens_are_remembered_over_a_restart(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let site = Site::open(storage, &[]).await;
    let person = site.person(SystemClock.now()).await;
    let program = auth_service(&site);
    let mut service = program.serve().await;
    let (mut staying, mut stolen) =
        (Device::login(&service.client(), &person).await, Device::login(&service.client(), &person).await);
    assert_eq!(stolen.refresh(&service.client()).await.expect("an answer").status, 200);
    service.terminate();
    assert_eq!(service.ended().await.code(), Some(0), "{}", service.log());

    let service = program.serve().await;
    let client = service.client();
    assert_eq!(staying.refresh(&client).await.expect("an answer").status, 200);
    let spent = stolen.spent_token().expect("a spent token");
    client.refresh(spent).await.assert_problem(403, "refresh_token_reused");
    assert_eq!(client.current_user(&staying.tokens.access_token).await.read::<Value>(200)["username"], person.username);
}
