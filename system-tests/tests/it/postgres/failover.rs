//! Several hosts in the URL: the one that takes changes is found, and found again when it is another.

use std::sync::Arc;

use service_kit::database::Postgres;
use system_tests::postgres::Server;
use system_tests::waiting::eventually;

use super::{MIGRATIONS, opened_at, recovers, settings, write};

/// A server whose schema is up to date.
async fn prepared() -> Arc<Server> {
    let server = Server::start();
    server.sql("postgres", "GRANT ALL ON SCHEMA public TO latchkey");
    opened_at(&server.url("postgres")).await;
    server
}

/// A URL with both, of which only one takes changes.
async fn over(first: &Server, second: &Server) -> Arc<Postgres> {
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", first.port(), second.port());
    let url = first.url("postgres").replace(&format!("127.0.0.1:{}", first.port()), &hosts);
    Postgres::open(&settings(&(url + "?target_session_attrs=read-write"), 1), &MIGRATIONS).await.unwrap()
}

fn set_read_only(server: &Server, is_read_only: bool) {
    server.sql("postgres", &format!("ALTER SYSTEM SET default_transaction_read_only = {is_read_only}"));
    server.sql("postgres", "SELECT pg_reload_conf()");
    let now = || server.sql("postgres", "SHOW default_transaction_read_only");
    while now() != (if is_read_only { "on" } else { "off" }) {}
}

fn kept(server: &Server) -> String {
    server.sql("postgres", "SELECT count(*) FROM numbers WHERE number = 7")
}

async fn takes_a_write(database: &Postgres) {
    eventually("a write is taken", async || write(database, 7).await.ok()).await;
}

#[tokio::test]
async fn writes_follow_the_server_that_takes_them() {
    let (first, second) = (prepared().await, prepared().await);
    set_read_only(&second, true);
    let database = over(&first, &second).await;
    takes_a_write(&database).await;
    assert_eq!((kept(&first).as_str(), kept(&second).as_str()), ("1", "0"));
    // The connection to the first stays open; it has to be left.
    set_read_only(&first, true);
    set_read_only(&second, false);
    takes_a_write(&database).await;
    assert_eq!((kept(&first).as_str(), kept(&second).as_str()), ("1", "1"));
    recovers(&database).await;
}

#[tokio::test]
async fn a_server_that_froze_does_not_hold_up_the_other_for_ever() {
    let (first, second) = (prepared().await, prepared().await);
    for frozen in [&first, &second] {
        let database = over(&first, &second).await;
        let _frozen = frozen.freeze();
        recovers(&database).await;
    }
}
