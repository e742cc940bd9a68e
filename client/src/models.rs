//! The services' shapes, as docs/api.md gives them. Members that are new to this version are ignored.

use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The `sub` of their tokens.
    pub id: Uuid,
    /// Their e-mail address.
    pub email: String,
    /// In lower case.
    pub username: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// What [`Client::login`](crate::Client::login) sends.
#[derive(Debug)]
pub struct Login {
    pub(crate) username: String,
    pub(crate) password: SecretString,
    pub(crate) device_name: Option<String>,
}

impl Login {
    /// `username` may be the e-mail address; the password is taken verbatim.
    pub fn new(username: impl Into<String>, password: SecretString) -> Self {
        Self { username: username.into(), password, device_name: None }
    }

    /// What the list of devices shows, 64 characters at most. Without it the `User-Agent` tells.
    #[must_use]
    pub fn on_device(self, name: impl Into<String>) -> Self {
        Self { device_name: Some(name.into()), ..self }
    }
}

/// What a login brings, beside the tokens, which the client keeps to itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignedIn {
    /// Who it is.
    pub user: User,
    /// The session that has begun.
    pub session_id: Uuid,
    /// What had to end because too many sessions were live. Tell the user.
    pub ended_sessions: Vec<EndedSession>,
}

/// A session that a login ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EndedSession {
    /// Its id.
    pub id: Uuid,
    /// What the list of devices called it.
    pub device_name: Option<String>,
}

/// A device that the user is signed in on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Device {
    /// The session's id.
    pub id: Uuid,
    /// What the login called it, or what its `User-Agent` told.
    pub device_name: Option<String>,
    /// Where the last refresh came from, or the login.
    pub ip_address: Option<String>,
    /// When it signed in.
    pub created_at: DateTime<Utc>,
    /// Its last refresh, or the login.
    pub last_used_at: DateTime<Utc>,
    /// When the session ends unless it is refreshed.
    pub expires_at: DateTime<Utc>,
    /// True for the session that asks.
    pub current: bool,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobStatus {
    /// Nobody has begun.
    Open,
    /// Somebody has.
    InProgress,
    /// It is done.
    Done,
    /// A word that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// Something that the user has to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// One line.
    pub title: String,
    /// More about it; may be empty.
    pub description: String,
    /// How far it is.
    pub status: JobStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last replaced; at first, when it was made.
    pub updated_at: DateTime<Utc>,
}

/// The parts of a job that its user writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobDraft {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<JobStatus>,
}

impl JobDraft {
    /// One line of 1 to 200 characters. The job is open and has no description, unless they are given.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), description: None, status: None }
    }

    /// With a description of 5,000 characters at most.
    #[must_use]
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// With a status.
    #[must_use]
    pub fn status(self, status: JobStatus) -> Self {
        Self { status: Some(status), ..self }
    }
}

/// Whether somebody is signed in, as far as the storage knows: the server is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// Somebody is.
    SignedIn {
        /// Who, as the login told it.
        user: User,
        /// Their session.
        session_id: Uuid,
    },
    /// Nobody is.
    SignedOut {
        /// Why the last session ended; `None` where there was none.
        because: Option<crate::EndReason>,
    },
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::InProgress => "in progress",
            Self::Done => "done",
            Self::Other(word) => word,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_that_is_new_is_kept_as_it_is() {
        for (status, word) in [(JobStatus::InProgress, "in_progress"), (JobStatus::Other("blocked".into()), "blocked")]
        {
            assert_eq!(serde_json::from_value::<JobStatus>(json!(word)).unwrap(), status);
            assert_eq!(serde_json::to_value(&status).unwrap(), word);
        }
    }

    #[test]
    fn a_draft_leaves_to_the_service_what_it_does_not_say() {
        assert_eq!(serde_json::to_value(JobDraft::new("Oil")).unwrap(), json!({ "title": "Oil" }));
        let full = JobDraft::new("Oil").description("the engine").status(JobStatus::Done);
        assert_eq!(
            serde_json::to_value(full).unwrap(),
            json!({ "title": "Oil", "description": "the engine", "status": "done" })
        );
    }

    #[test]
    fn a_login_does_not_print_its_password() {
        assert!(!format!("{:?}", Login::new("ada", "enchantress".into())).contains("enchantress"));
    }
}
