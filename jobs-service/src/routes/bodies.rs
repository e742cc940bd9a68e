//! A job as it is sent and as it is answered. What may be in one is the domain's.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::domain::{Description, Job, JobContent, Status, Title};
use crate::error::{Error, FieldErrors};

/// What a caller writes. Any other member is ignored, above all one that says whose job it is.
#[derive(Deserialize)]
pub(super) struct ContentBody {
    title: String,
    description: Option<String>,
    status: Option<String>,
}

impl ContentBody {
    /// The content, each part that is absent being as in a new job.
    pub(super) fn parse(self) -> Result<JobContent, Error> {
        let mut errors = FieldErrors::default();
        let title = errors.check("title", Title::parse(&self.title));
        let description = errors.check("description", Description::parse(self.description.unwrap_or_default()));
        let status = errors.check("status", self.status.as_deref().map_or(Ok(Status::default()), Status::parse));
        match (title, description, status) {
            (Some(title), Some(description), Some(status)) => Ok(JobContent { title, description, status }),
            _ => Err(Error::Unacceptable(errors)),
        }
    }
}

/// A job as its user sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobBody {
    id: Uuid,
    title: String,
    description: String,
    status: &'static str,
    #[serde(serialize_with = "milliseconds")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "milliseconds")]
    updated_at: DateTime<Utc>,
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            title: job.content.title.into_string(),
            description: job.content.description.into_string(),
            status: job.content.status.as_str(),
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}

/// RFC 3339, UTC, always with milliseconds.
fn milliseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}
