//! What holds for every request and response: the request id, the headers that are always there, CORS, the caller's address, and an
//! answer even where a handler panics. What a path does is for the services.

mod client_address;
mod cors;
mod envelope;
mod request_id;
mod unread;

pub use client_address::{ClientAddress, TrustedProxies};
pub use request_id::RequestId;

pub(crate) use cors::cors;
pub(crate) use envelope::{answer_panics, envelope, stamp};
