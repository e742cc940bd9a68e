//! auth-service from outside: its store on SQLite passes the suite of all session stores.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod session_store;
