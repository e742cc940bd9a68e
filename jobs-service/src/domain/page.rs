//! A list in pages, newest first. A page begins after an id, not at a count, so it stays right while jobs come and go.

use uuid::Uuid;

use super::Job;

/// How many jobs a page may have: 1 to 500, 100 if nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u16);

impl Limit {
    /// Accepts a limit or says what is wrong with it.
    pub fn parse(number: i64) -> Result<Self, &'static str> {
        match u16::try_from(number) {
            Ok(limit @ 1..=500) => Ok(Self(limit)),
            _ => Err("must be 1 to 500"),
        }
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(100)
    }
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// How many jobs at the most.
    pub limit: Limit,
    /// Only jobs older than the one with this id, whether that one still exists or not.
    pub after: Option<Uuid>,
}

/// One page of a user's jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPage {
    /// Newest first.
    pub jobs: Vec<Job>,
    /// Whether older ones follow.
    pub has_more: bool,
}
