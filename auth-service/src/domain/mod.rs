//! What Latchkey decides. No HTTP and no SQL: each decision returns an enum that names what happened.

pub mod account;
pub mod attempts;
pub(crate) mod deadline;
pub mod device;
pub mod digest;
pub mod guard;
mod idle;
pub mod login;
pub mod pace;
pub mod password;
pub mod refresh;
pub mod session;
pub mod sessions;
pub mod tokens;
pub mod user;

use crate::stores::StoreError;
use service_kit::database::DatabaseError;

/// A part of the service failed, so there is no decision. Always a 503, and nothing the caller has done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database of users.
    #[error("database: {0}")]
    Database(#[from] DatabaseError),
    /// The store of sessions.
    #[error("token store: {0}")]
    TokenStore(#[from] StoreError),
    /// The hashing of passwords.
    #[error(transparent)]
    Hashing(#[from] password::HashingError),
    /// Each part answered in its time, and all of them together did not.
    #[error("the request took too long")]
    TimedOut,
}
