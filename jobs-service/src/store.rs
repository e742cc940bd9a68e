//! Jobs, in SQLite or PostgreSQL: one text of queries, each statement an atomic step. Whose jobs they are is in every WHERE, so
//! that no caller can reach another's.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use service_kit::database::{Database, DatabaseError, Row, Value};
use uuid::Uuid;

use crate::domain::{DemoJob, Description, Job, JobContent, JobPage, PageRequest, Status, Title};

/// The jobs of all users, of one user at a time.
#[derive(Clone)]
pub struct Jobs {
    database: Arc<dyn Database>,
}

impl Jobs {
    /// The jobs in this database.
    pub fn new(database: Arc<dyn Database>) -> Self {
        Self { database }
    }

    /// One page of a user's jobs, newest first.
    pub async fn list(&self, owner: Uuid, page: &PageRequest) -> Result<JobPage, DatabaseError> {
        let sql = "SELECT id, title, description, status, created_at, updated_at FROM jobs
                   WHERE owner_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
        // No job has the greatest of all UUIDs: it is of another version.
        let before = page.after.unwrap_or(Uuid::max());
        // The one row too many tells that there is more.
        let limit = page.limit.get() + 1;
        let parameters = vec![owner.into(), before.into(), i64::from(limit).into()];
        let rows = self.database.read(sql, parameters).await?;
        let has_more = rows.len() == usize::from(limit);
        let shown = rows.iter().take(page.limit.get().into());
        Ok(JobPage { jobs: shown.map(job).collect::<Result<_, _>>()?, has_more })
    }

    /// A user's job with this id.
    pub async fn find(&self, owner: Uuid, id: Uuid) -> Result<Option<Job>, DatabaseError> {
        let sql = "SELECT id, title, description, status, created_at, updated_at FROM jobs
                   WHERE owner_id = $1 AND id = $2";
        self.database.read(sql, vec![owner.into(), id.into()]).await?.first().map(job).transpose()
    }

    /// Adds a job to a user's.
    pub async fn insert(&self, owner: Uuid, job: &Job) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO jobs (owner_id, id, title, description, status, created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        self.database.write(sql, columns(owner, job).into()).await?;
        Ok(())
    }

    /// Writes new content into a user's job, as of `now`. Answers with the job as it is then.
    pub async fn replace(
        &self,
        owner: Uuid,
        id: Uuid,
        content: &JobContent,
        now: DateTime<Utc>,
    ) -> Result<Option<Job>, DatabaseError> {
        let sql = "UPDATE jobs SET title = $1, description = $2, status = $3, updated_at = $4
                   WHERE owner_id = $5 AND id = $6
                   RETURNING id, title, description, status, created_at, updated_at";
        let [title, description, status] = content_columns(content);
        let parameters = vec![title, description, status, now.into(), owner.into(), id.into()];
        self.database.write(sql, parameters).await?.first().map(job).transpose()
    }

    /// Removes a user's job. Answers whether there was one.
    pub async fn delete(&self, owner: Uuid, id: Uuid) -> Result<bool, DatabaseError> {
        let sql = "DELETE FROM jobs WHERE owner_id = $1 AND id = $2 RETURNING id";
        Ok(!self.database.write(sql, vec![owner.into(), id.into()]).await?.is_empty())
    }

    /// Adds the demo jobs if there are no jobs at all. Of instances that start together each may try: ids that are taken stay.
    pub async fn seed(&self, jobs: &[DemoJob; DemoJob::COUNT]) -> Result<(), DatabaseError> {
        let parameters = jobs.iter().flat_map(|demo| columns(demo.owner, &demo.job)).collect();
        self.database.write(&SEED, parameters).await?;
        Ok(())
    }
}

/// One statement that adds as many rows as there are demo jobs, or none. Each part of a UNION takes the types of the part before,
/// so the table itself is the first, without its rows: PostgreSQL would take the parameters for texts.
static SEED: LazyLock<String> = LazyLock::new(|| {
    let row = |row: usize| {
        let numbers: Vec<_> = (1..=COLUMNS).map(|column| format!("${}", row * COLUMNS + column)).collect();
        format!("UNION ALL SELECT {}", numbers.join(", "))
    };
    let rows: Vec<_> = (0..DemoJob::COUNT).map(row).collect();
    format!(
        "INSERT INTO jobs (owner_id, id, title, description, status, created_at, updated_at)
         SELECT owner_id, id, title, description, status, created_at, updated_at FROM
           (SELECT owner_id, id, title, description, status, created_at, updated_at FROM jobs WHERE FALSE {}) AS demo
         WHERE NOT EXISTS (SELECT 1 FROM jobs)
         ON CONFLICT DO NOTHING",
        rows.join(" ")
    )
});

const COLUMNS: usize = 7;

fn columns(owner: Uuid, job: &Job) -> [Value; COLUMNS] {
    let [title, description, status] = content_columns(&job.content);
    [owner.into(), job.id.into(), title, description, status, job.created_at.into(), job.updated_at.into()]
}

fn content_columns(content: &JobContent) -> [Value; 3] {
    [content.title.as_str().into(), content.description.as_str().into(), content.status.as_str().into()]
}

fn job(row: &Row) -> Result<Job, DatabaseError> {
    let status = Status::parse(&row.get::<String>(3)?);
    let content = JobContent {
        title: Title::stored(row.get(1)?),
        description: Description::stored(row.get(2)?),
        status: status.map_err(|why| DatabaseError::Step(format!("the status of a job {why}")))?,
    };
    Ok(Job { id: row.get(0)?, content, created_at: row.get(4)?, updated_at: row.get(5)? })
}
