//! A job as it is sent and as it is answered. What may be in one is the domain's.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};
use uuid::Uuid;

use crate::domain::{Description, Job, JobContent, Status, Title};
use crate::error::{Error, FieldErrors};

/// What a caller writes. Any other member is ignored, above all one that says whose job it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = JobContent)]
pub(super) struct ContentBody {
    /// One line; space around it is taken away.
    #[schema(min_length = 1, max_length = 200, examples("Oil the engine"))]
    title: String,
    #[schema(max_length = 5000)]
    description: Option<String>,
    /// `open` if nothing is said.
    #[schema(schema_with = status_or_none)]
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
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub struct JobBody {
    #[schema(examples("01a209bb-8062-7694-a449-860a2c9d45b8"))]
    id: Uuid,
    #[schema(examples("Oil the engine"))]
    title: String,
    description: String,
    #[schema(schema_with = status)]
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

/// How far a job is, as a schema.
fn status() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Status::ALL.map(Status::as_str))).build()
}

/// The same, or null, which says as much as nothing.
fn status_or_none() -> Object {
    let words = Status::ALL.map(|status| Some(status.as_str())).into_iter().chain([None]);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(words))
        .examples([Status::InProgress.as_str()])
        .build()
}
