//! What a user costs in Redis, measured with a hundred thousand of them.

use std::net::Ipv4Addr;

use auth_service::domain::digest::Digest;
use auth_service::domain::session::Session;
use auth_service::stores::RedisSessions;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, cmd};
use shared_claims::random;
use system_tests::redis::Server;
use uuid::Uuid;

use super::{RULES, User, now, open, session, settings};

/// Logins that are sent at once.
const BATCH: usize = 2_000;

/// A session with all that a browser's has, and a name of ordinary length.
fn session_with_details() -> Session {
    Session {
        fingerprint: Some(Digest(random::bytes())),
        spent_with: Some(Digest(random::bytes())),
        device_name: "Firefox 146 on Windows 11".to_owned(),
        ip_address: Ipv4Addr::new(203, 0, 113, 7).into(),
        ..session()
    }
}

/// Has each user log in so many times, by the store's own script. One half is written down while the other is carried out.
async fn log_in(connection: &MultiplexedConnection, users: &[Uuid], times: usize) {
    let halves = users.chunks(users.len().div_ceil(2)).map(|half| {
        let (half, mut connection, details) = (half.to_vec(), connection.clone(), session_with_details());
        tokio::spawn(async move {
            for batch in half.chunks(BATCH / times) {
                let mut logins = redis::pipe();
                for user in batch.iter().flat_map(|user| std::iter::repeat_n(*user, times)) {
                    let session = Session { id: random::uuid(), ..details.clone() };
                    logins.add_command(RedisSessions::starting(user, &session, &RULES, now())).ignore();
                }
                logins.exec_async(&mut connection).await.expect("Redis works");
            }
        })
    });
    for half in halves.collect::<Vec<_>>() {
        half.await.expect("all have logged in");
    }
}

/// The bytes that a user with one session and with five takes, everything that Redis needs for it included.
async fn measured(settings_of_redis: &[(&str, &str)], count: usize) -> (u64, u64) {
    let server = Server::start_with(settings_of_redis);
    // The first login is by the store itself, and makes the script known.
    User::new(&open(&settings(server.url()))).start().await;
    let client = redis::Client::open(server.url()).expect("a URL");
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&config).await.expect("a connection");
    let users: Vec<Uuid> = (0..count).map(|_| random::uuid()).collect();
    let used = || {
        server.ask::<()>(cmd("MEMORY").arg("PURGE"));
        server.info("used_memory") - server.info("mem_clients_normal")
    };
    let empty = used();
    log_in(&connection, &users, 1).await;
    let with_one = used();
    log_in(&connection, &users, 4).await;
    let with_five = used();
    assert_eq!(server.ask::<usize>(&cmd("DBSIZE")), count + 1);
    let count = u64::try_from(count).expect("a small number");
    ((with_one - empty) / count, (with_five - empty) / count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_costs_350_bytes_with_one_session_and_1150_with_five_as_recommended() {
    let (one, five) = measured(&[("hash-max-listpack-value", "512")], 100_000).await;
    println!("hash-max-listpack-value 512: {one} bytes with one session, {five} with five");
    assert!(one <= 350, "{one} bytes with one session");
    assert!(five <= 1_150, "{five} bytes with five sessions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_costs_little_more_than_half_as_much_again_by_redis_own_settings() {
    let (one, five) = measured(&[], 5_000).await;
    println!("as Redis comes: {one} bytes with one session, {five} with five");
    assert!(one <= 525, "{one} bytes with one session");
    assert!(five <= 1_725, "{five} bytes with five sessions");
}
