//! What PostgreSQL's errors mean: whether trying again may help, whether a connection is still of use, and what the log may say.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Why there is no connection. Its text never shows the URL or the password.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) why: String,
    /// Whether it may go away without anybody changing the configuration.
    pub(super) may_pass: bool,
}

impl Refusal {
    pub(super) fn new(error: &Error, has_ca_file: bool) -> Self {
        match certificate_problem(error) {
            Some(problem) => Self { why: refused_certificate(problem, has_ca_file), may_pass: false },
            None => Self { why: describe(error), may_pass: may_pass(error) },
        }
    }

    pub(super) fn timed_out() -> Self {
        Self { why: "the server does not answer".to_owned(), may_pass: true }
    }
}

fn refused_certificate(problem: &rustls::Error, has_ca_file: bool) -> String {
    let trusted = if has_ca_file {
        "it must be signed by an authority in database.ca_file (LATCHKEY_DATABASE__CA_FILE) and name the host"
    } else {
        "where no public authority has signed it, database.ca_file (LATCHKEY_DATABASE__CA_FILE) must hold the one that has"
    };
    format!("the server's TLS certificate is not accepted: {problem}; {trusted}")
}

fn certificate_problem(error: &Error) -> Option<&rustls::Error> {
    error.source()?.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}

/// The network, and servers that are starting, stopping or full, recover by themselves; what is wrong with a name, a password
/// or a setting does not.
fn may_pass(error: &Error) -> bool {
    match error.code() {
        Some(code) => ["08", "53", "57P"].iter().any(|class| code.code().starts_with(class)),
        None => error.is_closed() || error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>),
    }
}

/// Whether the connection that answered so is of no more use: it is closed, or it has lost what was prepared on it.
pub(super) fn ends_connection(error: &Error) -> bool {
    const LOST: [SqlState; 2] = [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::FEATURE_NOT_SUPPORTED];
    match error.code() {
        Some(code) => code.code().starts_with("57P") || code.code().starts_with("08") || LOST.contains(code),
        None => true,
    }
}

/// Whether the server takes no changes at the moment; another connection may lead to one that does.
pub(super) fn is_read_only(error: &Error) -> bool {
    error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
}

/// An error for the log: code and message, without the detail, which quotes what users typed.
pub(in crate::database) fn describe(error: &Error) -> String {
    match error.as_db_error() {
        Some(refused) => format!("{} {}", refused.code().code(), refused.message()),
        None => error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
    }
}
