//! What Latchkey promises, held against the running services.

mod accounts;
mod client;
mod http;
mod metrics;
mod openapi;
mod postgres;
mod proof;
mod redis;
mod traces;
