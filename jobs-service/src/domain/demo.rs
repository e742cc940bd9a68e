//! The jobs that the demo users begin with. Who these users are, and their passwords, is auth-service's.

use chrono::{DateTime, Utc};
use uuid::{Builder, Uuid};

use super::job::{Description, Job, JobContent, Status, Title};

const ADA: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0001);
const GRACE: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0002);
const LINUS: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0003);

/// A job and the demo user whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoJob {
    /// Whose it is.
    pub owner: Uuid,
    /// The job.
    pub job: Job,
}

impl DemoJob {
    /// How many there are.
    pub const COUNT: usize = DEMO.len();
}

/// Owner, time of creation, status, title, description.
type Line = (Uuid, &'static str, Status, &'static str, &'static str);

#[rustfmt::skip]
const DEMO: [Line; 11] = [
    (ADA,   "2026-11-02T08:15:00Z", Status::Done,       "Check the table of Bernoulli numbers", "Note G, once more from the top. B7 was right after all."),
    (ADA,   "2026-11-09T10:40:00Z", Status::InProgress, "Punch the cards for the loom pattern", "Roses first, then the border.\nAsk Joseph for thinner pasteboard."),
    (ADA,   "2026-11-16T17:05:00Z", Status::Open,       "Answer Charles about the engine", ""),
    (ADA,   "2026-11-20T07:30:00Z", Status::Open,       "Buy strings for the harp", "A and D are worn."),
    (GRACE, "2026-11-03T09:00:00Z", Status::Done,       "Take the moth out of relay 70", "Taped it into the logbook, panel F."),
    (GRACE, "2026-11-11T13:20:00Z", Status::InProgress, "Write the compiler's manual", "Two chapters to go: errors, and what to do about them."),
    (GRACE, "2026-11-17T11:45:00Z", Status::Open,       "Cut 30 cm of wire for each student", "So that everybody sees how far a nanosecond goes."),
    (LINUS, "2026-11-04T18:10:00Z", Status::Done,       "Wash the dive suit", ""),
    (LINUS, "2026-11-10T20:25:00Z", Status::InProgress, "Merge what waits for the next release", "Nothing without a test, and nothing after Sunday."),
    (LINUS, "2026-11-15T15:55:00Z", Status::Open,       "Name the next release", "Something with an animal in it."),
    (LINUS, "2026-11-19T06:50:00Z", Status::Open,       "Find out why the fan is so loud", "It is either dust or the build."),
];

/// The demo jobs, the same at every call: ids and times are fixed, so that instances that start together write the same rows.
pub fn demo_jobs() -> [DemoJob; DemoJob::COUNT] {
    DEMO.map(|(owner, created_at, status, title, description)| {
        let created_at: DateTime<Utc> = created_at.parse().expect("the times above are RFC 3339");
        let content = JobContent {
            title: Title::parse(title).expect("the titles above are good ones"),
            description: Description::parse(description.to_owned()).expect("the descriptions above are good ones"),
            status,
        };
        DemoJob { owner, job: Job { id: id(owner, created_at), content, created_at, updated_at: created_at } }
    })
}

/// UUID version 7 (RFC 9562 §5.7) with the end of the owner's id for its random part: no two demo jobs of one user share a time.
fn id(owner: Uuid, created_at: DateTime<Utc>) -> Uuid {
    let milliseconds = u64::try_from(created_at.timestamp_millis()).expect("the times above are after 1970");
    let mut end = [0; 10];
    end.copy_from_slice(&owner.as_bytes()[6..]);
    Builder::from_unix_timestamp_millis(milliseconds, &end).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_demo_user_has_three_jobs_or_more_of_every_status() {
        let jobs = demo_jobs();
        for user in [ADA, GRACE, LINUS] {
            let statuses: Vec<_> =
                jobs.iter().filter(|demo| demo.owner == user).map(|demo| demo.job.content.status.as_str()).collect();
            assert!(statuses.len() >= 3, "{user}");
            assert_eq!(statuses.into_iter().collect::<HashSet<_>>().len(), 3, "{user}");
        }
    }

    #[test]
    fn demo_jobs_have_ids_of_their_own_that_are_the_same_each_time() {
        let ids: HashSet<_> = demo_jobs().into_iter().map(|demo| demo.job.id).collect();
        assert_eq!(ids.len(), DemoJob::COUNT);
        assert_eq!(demo_jobs(), demo_jobs());
    }
}
