//! auth-service on SQLite: its stores pass the suites of all databases.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod session_store;
mod users;
