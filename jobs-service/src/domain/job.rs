//! A job, and the parts of it that a user writes, each accepted by its `parse` or refused with a reason for a person.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Something that a user has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// UUID version 7: later jobs have greater ids.
    pub id: Uuid,
    /// What the user wrote.
    pub content: JobContent,
    /// When it was made, to the millisecond.
    pub created_at: DateTime<Utc>,
    /// When it was last replaced; at first, when it was made.
    pub updated_at: DateTime<Utc>,
}

/// The parts of a job that its user writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobContent {
    /// What is to be done.
    pub title: Title,
    /// More about it.
    pub description: Description,
    /// How far it is.
    pub status: Status,
}

/// One line of 1 to 200 characters, with no space at either end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    const LONGEST: usize = 200;

    /// Takes away the space at both ends, then accepts what is left or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("must not be empty");
        }
        if text.chars().count() > Self::LONGEST {
            return Err("must be at most 200 characters long");
        }
        if text.chars().any(char::is_control) {
            return Err("must be one line without control characters");
        }
        Ok(Self(text.to_owned()))
    }

    /// A title that was accepted before and comes back from where it was kept.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The title.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The title, taken out.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Text of 5,000 characters at most, taken as it is; none is the empty text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    const LONGEST: usize = 5_000;

    /// Accepts a description or says what is wrong with it.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        if text.chars().count() > Self::LONGEST {
            return Err("must be at most 5000 characters long");
        }
        // PostgreSQL cannot hold one, and a job must not depend on where it is kept.
        if text.contains('\0') {
            return Err("must not have a zero character");
        }
        Ok(Self(text))
    }

    /// A description that was accepted before and comes back from where it was kept.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The description.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The description, taken out.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Not begun.
    #[default]
    Open,
    /// Begun.
    InProgress,
    /// Finished.
    Done,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Open, Self::InProgress, Self::Done];

    /// Reads one of the three words, or says what they are.
    pub fn parse(word: &str) -> Result<Self, &'static str> {
        match word {
            "open" => Ok(Self::Open),
            "in_progress" => Ok(Self::InProgress),
            "done" => Ok(Self::Done),
            _ => Err("must be one of `open`, `in_progress` and `done`"),
        }
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::Done => "done",
        }
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
