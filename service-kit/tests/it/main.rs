//! The kit as a client meets it: a small service with one route of each kind, bound to a free port.

mod client_addresses;
mod cors;
mod envelope;
mod heads;
mod json_bodies;
mod logs;
mod metrics;
mod parameters;
mod probes;
mod readiness;
mod resources;
mod stopping;
mod support;
