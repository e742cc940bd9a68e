//! auth-service: signs users in, issues access and refresh tokens, and keeps the sessions that these grow from.
//!
//! The way of a request: `routes` (HTTP shapes), `domain` (decisions), `stores` (facts).

pub mod audit;
pub mod cli;
pub mod config;
pub mod domain;
mod error;
mod metrics;
mod routes;
pub mod startup;
pub mod state;
pub mod stores;

pub use config::Config;
pub use routes::ApiDocument;
pub use startup::{Application, Service, StartError};
