//! jobs-service as its callers and its operators meet it: each test starts one on a free port with a database of its own.

#![allow(clippy::unwrap_used, reason = "in a test whatever fails is the end of it, helpers included")]

mod authentication;
mod commands;
mod configuration;
mod errors;
mod health;
mod isolation;
mod job_list;
mod jobs;
mod mounting;
mod outages;
mod seeding;
mod store_sqlite;
mod support;
