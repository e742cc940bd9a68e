//! The comparisons, by the names that `make bench ONLY=…` takes. Each starts what it needs, ends it, and answers its rows.

mod express;
mod logins;
mod memory;
mod refresh;
mod resources;
mod start;
mod users;

use std::error::Error;

use clap::ValueEnum;

use crate::ground::Ground;
use crate::table::Row;

type Rows = Result<Vec<Row>, Box<dyn Error>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    /// A protected route against an open one.
    Empty,
    /// The list of jobs against its query.
    Jobs,
    /// Refreshes against the rotation alone, and that against Redis alone.
    Refresh,
    /// Logins against Argon2id alone.
    Login,
    /// The tail of other calls beside logins.
    Beside,
    /// Everything against Express.
    Express,
    /// The time to the first answer.
    Start,
    /// Memory before and under logins.
    Memory,
    /// A refresh among a million users.
    Users,
}

impl Name {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied()
    }

    pub(crate) async fn measure(self, ground: &Ground) -> Rows {
        match self {
            Self::Empty => resources::empty(ground).await,
            Self::Jobs => resources::jobs(ground).await,
            Self::Refresh => refresh::refresh(ground).await,
            Self::Login => logins::login(ground).await,
            Self::Beside => logins::beside(ground).await,
            Self::Express => express::express(ground).await,
            Self::Start => start::start(ground).await,
            Self::Memory => memory::memory(ground).await,
            Self::Users => users::users(ground).await,
        }
    }
}
