//! Talks to Latchkey in the name of one user: logs in, attaches the access token, and renews it so that nobody notices.
//!
//! ```no_run
//! use latchkey_client::{Client, Error, FileStorage, JobDraft, Login};
//!
//! # async fn example(password: latchkey_client::SecretString) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("http://127.0.0.1:8081")
//!     .service("http://127.0.0.1:8082")
//!     .storage(FileStorage::new("tokens.json"))
//!     .build()?;
//! client.login(&Login::new("ada", password).on_device("nightly report")).await?;
//!
//! let jobs = client.jobs("http://127.0.0.1:8082")?;
//! jobs.create(&JobDraft::new("Oil the engine")).await?;
//! for job in jobs.list_all().await? {
//!     println!("{} ({})", job.title, job.status);
//! }
//!
//! // Days later, in any process that shares the file:
//! match client.current_user().await {
//!     Ok(user) => println!("still signed in as {}", user.username),
//!     Err(Error::SignedOut(Some(reason))) => println!("You were signed out: {reason}."),
//!     Err(error) if error.is_temporary() => println!("not now, and nobody is signed out"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(()) }
//! ```
//!
//! # What it does by itself
//!
//! - **It renews the access token a minute before it runs out**, beside the calls that are made meanwhile, counted by a clock that
//!   nobody can set. A token that is refused all the same (401 with one of our codes) is renewed and the call repeated, once, where
//!   its body can be sent again; a stream cannot, and its 401 comes back.
//! - **It refreshes once for however many calls need it**, in this process and in all that share a [`FileStorage`].
//! - **A lost answer costs nothing.** The `Idempotency-Key` is random, made when the refresh token arrives and kept with it as one
//!   record, so that the same refresh can be sent again, by whoever reads the record, after any crash.
//! - **Trouble signs nobody out.** After a 5xx, a 429 or no answer at all, the session stands; the refresh is repeated with growing
//!   pauses, and never sooner than `Retry-After` asks. Only six codes of `/refresh-token` with status 403 end the session, and
//!   [`Error::SignedOut`] tells why.
//! - **The access token goes nowhere else**: to auth-service and to those services that were named, by origin and path.
//! - **Nothing secret is printed**: no token, key or password in a `Debug`, an error or a log.
//!
//! It does not repeat calls that were refused with 429 or 503, or had no answer: only you know which may be sent twice.
//! [`Error::is_temporary`] and [`Error::retry_after`] tell when it is worth while.

/// Compiles the examples of the page.
#[cfg(doctest)]
#[doc = include_str!("../../docs/client.md")]
struct Page;

mod account;
mod backoff;
mod call;
mod client;
mod end_reason;
mod error;
mod jobs;
mod keeper;
mod middleware;
mod models;
mod problem;
mod random;
mod record;
mod refresher;
mod services;
mod session;
mod storage;

pub use self::call::{read, send};
pub use self::client::{Client, ClientBuilder};
pub use self::end_reason::EndReason;
pub use self::error::{BuildError, Error};
pub use self::jobs::{JobPage, Jobs, NextPage};
pub use self::middleware::AccessTokens;
pub use self::models::{Device, EndedSession, Job, JobDraft, JobStatus, Login, SessionState, SignedIn, User};
pub use self::problem::{ErrorCode, Problem};
pub use secrecy::SecretString;

pub use self::storage::{FileStorage, MemoryStorage, StorageError, StorageLock, TokenStorage};
