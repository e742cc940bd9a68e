//! PostgreSQL fails: every call has an answer within two seconds, and everything works again by itself when the server does.

use std::fs;
use std::sync::Arc;

use futures_util::future::{join, join_all};
use service_kit::database::{Database, DatabaseError, Postgres};
use system_tests::postgres::{PASSWORD, ROLE, Server, TestDatabase};
use system_tests::waiting::eventually;
use tokio_postgres::NoTls;

use super::{backend, in_time, opened, read, recovers, write};

/// Reading, writing and the check all fail, in time and without telling a secret.
async fn fails(database: &Postgres) {
    for _ in 0..3 {
        let errors =
            [read(database).await.err(), write(database, 1).await.err(), in_time(database.check()).await.err()];
        for error in errors {
            let error = error.expect("it fails");
            let text = format!("{error} {error:?}");
            assert!(!text.contains(PASSWORD) && !text.contains("dont%2F") && !text.contains("://"), "{text}");
        }
    }
}

async fn working(server: &Arc<Server>, max_connections: usize) -> (TestDatabase, Arc<Postgres>) {
    let place = server.database();
    let database = opened(&place, max_connections).await;
    write(&database, 0).await.unwrap();
    (place, database)
}

#[tokio::test]
async fn a_stopped_server_fails_each_call_in_time_and_is_found_again() {
    let server = Server::start();
    let (_place, database) = working(&server, 2).await;
    server.stop();
    fails(&database).await;
    server.start_again();
    recovers(&database).await;
}

#[tokio::test]
async fn a_server_that_restarted_is_read_from_at_once() {
    let server = Server::start();
    let (_place, database) = working(&server, 1).await;
    for _ in 0..3 {
        server.restart();
        read(&database).await.unwrap();
        recovers(&database).await;
    }
}

#[tokio::test]
async fn a_frozen_server_fails_each_call_in_time_and_is_found_again() {
    let server = Server::start();
    let (place, database) = working(&server, 1).await;
    let frozen = server.freeze();
    let (reads, writes) =
        join(join_all((0..20).map(|_| read(&database))), join_all((0..20).map(|number| write(&database, number))))
            .await;
    assert!(reads.iter().chain(&writes).all(|outcome| matches!(outcome, Err(DatabaseError::TimedOut))), "{reads:?}");
    fails(&database).await;
    drop(frozen);
    recovers(&database).await;
    eventually("one connection is left", async || (place.connections() == 1).then_some(())).await;
}

#[tokio::test]
async fn a_connection_that_froze_fails_who_uses_it_and_is_replaced() {
    let server = Server::start();
    let (_place, database) = working(&server, 1).await;
    let _frozen = server.freeze_backend(backend(&database).await);
    assert!(matches!(write(&database, 1).await, Err(DatabaseError::TimedOut)));
    write(&database, 2).await.unwrap();
    read(&database).await.unwrap();
    let is_closed = async || (established_to(server.port()) == 1).then_some(());
    eventually("the frozen connection is closed on our side", is_closed).await;
}

/// The open connections of this machine to a port of its own, as the system tells them.
fn established_to(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let is_one = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[2].ends_with(&format!(":{port:04X}")) && fields[3] == "01"
    };
    table.lines().filter(is_one).count()
}

#[tokio::test]
async fn a_server_that_freezes_before_it_is_connected_to_fails_each_call_in_time() {
    let server = Server::start();
    let place = server.database();
    let database = opened(&place, 1).await;
    let frozen = server.freeze();
    let outcomes = join_all((0..20).map(|_| read(&database))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(DatabaseError::Unconnected(_)))), "{outcomes:?}");
    drop(frozen);
    recovers(&database).await;
}

#[tokio::test]
async fn a_server_without_a_free_connection_fails_each_call_in_time_and_is_found_again() {
    let server = Server::start_with(&[("max_connections", "6"), ("max_wal_senders", "0")]);
    let place = server.database();
    let database = opened(&place, 1).await;
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(server.port()).user(ROLE).password(PASSWORD).dbname(&place.name);
    let mut taken = Vec::new();
    let refused = loop {
        match config.connect(NoTls).await {
            Ok((client, connection)) => taken.push((client, tokio::spawn(connection))),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code(), Some(&tokio_postgres::error::SqlState::TOO_MANY_CONNECTIONS));
    fails(&database).await;
    drop(taken);
    recovers(&database).await;
}

#[tokio::test]
async fn connections_that_an_operator_ends_are_made_again_and_reading_goes_on() {
    let server = Server::start();
    let (place, database) = working(&server, 1).await;
    for _ in 0..5 {
        let ended = backend(&database).await;
        place.sql(&format!("SELECT pg_terminate_backend({ended}, 5000)"));
        read(&database).await.unwrap();
        assert_ne!(backend(&database).await, ended);
    }
}

#[tokio::test]
async fn statements_that_a_connection_has_lost_are_prepared_again() {
    let server = Server::start();
    let (_place, database) = working(&server, 1).await;
    read(&database).await.unwrap();
    database.write("DEALLOCATE ALL", vec![]).await.unwrap();
    read(&database).await.unwrap();
    write(&database, 1).await.unwrap();
    database.write("DEALLOCATE ALL", vec![]).await.unwrap();
    // Nothing of it was done, but a write is never sent twice.
    assert!(write(&database, 1).await.is_err());
    write(&database, 1).await.unwrap();
}

#[tokio::test]
async fn a_row_that_somebody_holds_fails_its_writer_in_time_and_nobody_else() {
    let server = Server::start();
    let (place, database) = working(&server, 1).await;
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(server.port()).user(ROLE).password(PASSWORD).dbname(&place.name);
    let (mut operator, connection) = config.connect(NoTls).await.unwrap();
    let operating = tokio::spawn(connection);
    let transaction = operator.transaction().await.unwrap();
    transaction.execute("UPDATE numbers SET number = 5", &[]).await.unwrap();
    let update = || in_time(database.write("UPDATE numbers SET number = 6", vec![]));
    let (held, other) = join(update(), read(&database)).await;
    assert!(matches!(held, Err(DatabaseError::Postgres(_))), "{held:?}");
    assert!(other.is_ok(), "{other:?}");
    transaction.commit().await.unwrap();
    update().await.unwrap();
    assert_eq!(place.sql("SELECT number FROM numbers"), "6");
    operating.abort();
}
