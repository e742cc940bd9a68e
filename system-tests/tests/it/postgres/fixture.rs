//! The tests' own servers: they obey, and they go when nobody needs them.

use std::path::Path;

use system_tests::postgres::{Server, shared};

#[test]
fn each_test_has_a_database_of_its_own() {
    let (one, other) = (shared().database(), shared().database());
    one.sql("CREATE TABLE mine (number INTEGER)");
    assert_eq!(other.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'mine'"), "0");
}

#[test]
fn a_server_keeps_its_data_and_its_port_when_it_starts_again_and_is_gone_when_it_is_dropped() {
    let server = Server::start();
    let (port, data) = (server.port(), server.data());
    server.sql("postgres", "CREATE TABLE kept (number INTEGER)");
    server.restart();
    assert_eq!((server.port(), server.sql("postgres", "SELECT count(*) FROM kept").as_str()), (port, "0"));
    let pid = std::fs::read_to_string(data.join("postmaster.pid")).unwrap();
    let process = format!("/proc/{}", pid.lines().next().unwrap());
    assert!(Path::new(&process).exists());
    drop(server.freeze());
    std::mem::forget(server.freeze());
    drop(server);
    assert!(!Path::new(&process).exists());
    assert!(!data.exists());
}
