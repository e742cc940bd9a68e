//! The client against servers that answer oddly, as services and what stands between can. Against the real services it is tested
//! in `system-tests`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attaching;
mod ending;
mod keeping;
mod refused_tokens;
mod signing_out;
mod storage;
mod support;
mod timely;
mod typed;
