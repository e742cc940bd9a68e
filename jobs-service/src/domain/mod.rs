//! What a job is and what may be in one. No HTTP and no SQL.

mod demo;
mod ids;
mod job;
mod page;

pub use demo::{DemoJob, demo_jobs};
pub use ids::JobIds;
pub use job::{Description, Job, JobContent, Status, Title};
pub use page::{JobPage, Limit, PageRequest};
