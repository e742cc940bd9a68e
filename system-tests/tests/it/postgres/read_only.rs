//! A server that answers and takes no changes: it is read from, it is not ready, and it is found out when that ends.

use std::fs;

use service_kit::database::{Database, DatabaseError, Postgres};
use system_tests::postgres::Server;
use system_tests::waiting::eventually;

use super::{in_time, opened, read, recovers, write};

async fn takes_no_changes(database: &Postgres) {
    let refused = async || write(database, 1).await.err();
    eventually("writing is refused", refused).await;
    assert!(matches!(in_time(database.check()).await, Err(DatabaseError::ReadOnly)));
    read(database).await.unwrap();
}

#[tokio::test]
async fn a_server_that_was_closed_to_changes_is_read_from_and_recovers() {
    let server = Server::start();
    let place = server.database();
    let database = opened(&place, 1).await;
    write(&database, 1).await.unwrap();
    let configure = |command: &str| {
        server.sql("postgres", command);
        server.sql("postgres", "SELECT pg_reload_conf()");
    };
    configure("ALTER SYSTEM SET default_transaction_read_only = on");
    takes_no_changes(&database).await;
    configure("ALTER SYSTEM RESET default_transaction_read_only");
    recovers(&database).await;
}

#[tokio::test]
async fn a_server_that_became_a_standby_is_read_from_and_recovers_when_it_is_promoted() {
    let server = Server::start();
    let place = server.database();
    let database = opened(&place, 1).await;
    write(&database, 1).await.unwrap();
    server.stop();
    fs::write(server.data().join("standby.signal"), "").unwrap();
    server.start_again();
    takes_no_changes(&database).await;
    // A service starts on a standby too, where it finds nothing to migrate.
    let started_meanwhile = opened(&place, 1).await;
    takes_no_changes(&started_meanwhile).await;
    server.sql("postgres", "SELECT pg_promote()");
    recovers(&database).await;
    recovers(&started_meanwhile).await;
}
