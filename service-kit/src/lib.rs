//! What every service of the fleet does alike: reads its configuration, logs, answers errors, tells its health, starts and stops.
//!
//! A closed list. It knows nothing about tokens, users or jobs; those belong to the services and to `shared-claims`.

pub mod config;
pub mod database;
pub mod health;
pub mod http;
pub mod line;
pub mod metrics;
pub mod openapi;
pub mod outage;
pub mod probe;
pub mod problem;
pub mod reload;
pub mod server;
pub mod telemetry;

mod stopwatch;
mod version;

pub use version::version;
