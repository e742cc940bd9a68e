//! Makes the ids of jobs, in order of creation. That they differ from those of other instances is the random part's work.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// Makes ids of UUID version 7 (RFC 9562 §5.7). Those of one process ascend, also within one millisecond and where the clock
/// is put back.
#[derive(Debug)]
pub struct JobIds {
    context: Mutex<ContextV7>,
}

impl JobIds {
    /// Ids that ascend from the first time that is asked for.
    pub fn new() -> Self {
        Self { context: Mutex::new(ContextV7::new()) }
    }

    /// The id of a job that is made `now`.
    pub fn next(&self, now: DateTime<Utc>) -> Uuid {
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(Timestamp::from_unix(&self.context, seconds, now.timestamp_subsec_nanos()))
    }
}

impl Default for JobIds {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(milliseconds).unwrap()
    }

    #[test]
    fn an_id_tells_when_it_was_made() {
        let id = JobIds::new().next(moment(1_790_000_000_123));
        assert_eq!((id.get_version_num(), id.as_u128() >> 80), (7, 1_790_000_000_123));
    }

    #[test]
    fn ids_ascend_while_the_clock_stands_still_or_goes_back() {
        let ids = JobIds::new();
        let times = (0..1_000).map(|step| moment(1_790_000_000_000 - step / 10));
        let made: Vec<_> = times.map(|time| ids.next(time)).collect();
        assert!(made.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn ids_of_two_threads_never_meet() {
        let ids = JobIds::new();
        let now = moment(1_790_000_000_000);
        let make = || (0..1_000).map(|_| ids.next(now)).collect::<Vec<_>>();
        let (one, other) = std::thread::scope(|scope| {
            let (one, other) = (scope.spawn(make), scope.spawn(make));
            (one.join().unwrap(), other.join().unwrap())
        });
        let all: std::collections::HashSet<_> = one.iter().chain(&other).collect();
        assert_eq!(all.len(), 2_000);
    }
}
