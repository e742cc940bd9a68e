//! Keeps each user's jobs. The smallest complete resource service: it knows who calls from the access token alone, through
//! `shared-claims`, and needs neither auth-service nor its token store to run. Copy it to begin another.

pub mod cli;
pub mod config;
pub mod database;
pub mod domain;
mod error;
mod routes;
pub mod startup;
mod state;
pub mod store;
#[cfg(feature = "conformance")]
pub mod store_suite;

pub use config::Config;
pub use routes::{ApiDocument, JobBody};
pub use startup::{Application, Service, StartError};
