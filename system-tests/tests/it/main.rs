//! What Latchkey promises, held against the running services.

mod http;
mod postgres;
mod redis;
