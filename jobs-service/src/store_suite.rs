//! The suite that the store of jobs passes on every database. A database runs all of it through
//! [`store_suite!`](crate::store_suite!).
#![allow(missing_docs, reason = "each name is the sentence that it holds to")]
#![allow(clippy::unwrap_used, reason = "a store that fails fails the test")]

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use service_kit::database::Database;
use shared_claims::random;
use uuid::Uuid;

use crate::domain::{Description, Job, JobContent, JobIds, JobPage, Limit, PageRequest, Status, Title, demo_jobs};
use crate::store::Jobs;

/// Makes a test of each rule of the suite. The expression is an async function that answers an empty database with our schema
/// as two instances of the service have it, and whatever has to live as long.
#[macro_export]
macro_rules! store_suite {
    ($open:expr) => {
        $crate::store_suite!(@each $open;
            a_job_is_found_as_it_was_inserted
            nobody_reaches_the_job_of_another
            a_replaced_job_keeps_the_time_it_was_made
            what_is_not_there_cannot_be_replaced_or_deleted
            of_racing_deletions_one_finds_the_job
            pages_put_together_are_the_whole_list
            pages_go_on_while_jobs_are_deleted
            an_empty_table_is_seeded_and_no_other
            of_racing_seedings_one_counts
        );
    };
    (@each $open:expr; $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                $crate::store_suite::run($open, $crate::store_suite::$test);
            }
        )*
    };
}

/// Runs one test of the suite, on threads of its own.
pub fn run<K, F: Future<Output = ()>>(
    open: impl AsyncFnOnce() -> ([Arc<dyn Database>; 2], K),
    test: impl FnOnce([Jobs; 2]) -> F,
) {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    threads.unwrap().block_on(async {
        let (databases, _kept) = open().await;
        test(databases.map(Jobs::new)).await;
    });
}

fn now() -> DateTime<Utc> {
    "2026-11-23T12:00:00.123Z".parse().unwrap()
}

fn content(title: &str, description: &str, status: Status) -> JobContent {
    JobContent {
        title: Title::parse(title).unwrap(),
        description: Description::parse(description.to_owned()).unwrap(),
        status,
    }
}

fn job(ids: &JobIds, made: DateTime<Utc>) -> Job {
    Job { id: ids.next(made), content: content("x", "", Status::Open), created_at: made, updated_at: made }
}

fn page(limit: i64, after: Option<Uuid>) -> PageRequest {
    PageRequest { limit: Limit::parse(limit).unwrap(), after }
}

/// Every job of a user, in the largest pages there are.
async fn all(jobs: &Jobs, owner: Uuid) -> Vec<Job> {
    let JobPage { jobs, has_more } = jobs.list(owner, &page(500, None)).await.unwrap();
    assert!(!has_more);
    jobs
}

/// Some values of a strategy, new ones in each run.
fn cases<S: Strategy>(strategy: &S) -> impl Iterator<Item = S::Value> {
    let mut runner = TestRunner::default();
    (0..24).map(move |_| strategy.new_tree(&mut runner).unwrap().current())
}

pub async fn a_job_is_found_as_it_was_inserted([jobs, second]: [Jobs; 2]) {
    let (ids, owner) = (JobIds::new(), random::uuid());
    let texts =
        [("Größe 大きさ 🦀", ""), ("'; DROP TABLE jobs; --", "$1 %s \\ \" \u{7} \n\r\t"), ("x", &"é".repeat(5_000))];
    let statuses = [Status::Open, Status::InProgress, Status::Done];
    for ((title, description), status) in texts.into_iter().zip(statuses) {
        let job = Job { content: content(title, description, status), ..job(&ids, now()) };
        jobs.insert(owner, &job).await.unwrap();
        assert_eq!(second.find(owner, job.id).await.unwrap(), Some(job));
    }
}

pub async fn nobody_reaches_the_job_of_another([jobs, second]: [Jobs; 2]) {
    let (ids, owner, other) = (JobIds::new(), random::uuid(), random::uuid());
    let job = job(&ids, now());
    jobs.insert(owner, &job).await.unwrap();
    assert_eq!(jobs.find(other, job.id).await.unwrap(), None);
    assert_eq!(jobs.replace(other, job.id, &content("Taken", "", Status::Done), now()).await.unwrap(), None);
    assert!(!second.delete(other, job.id).await.unwrap());
    assert_eq!(all(&jobs, other).await, []);
    assert_eq!(all(&jobs, owner).await, [job]);
}

pub async fn a_replaced_job_keeps_the_time_it_was_made([jobs, second]: [Jobs; 2]) {
    let (ids, owner) = (JobIds::new(), random::uuid());
    let (job, neighbour) = (job(&ids, now()), job(&ids, now()));
    jobs.insert(owner, &job).await.unwrap();
    jobs.insert(owner, &neighbour).await.unwrap();
    let (content, later) = (content("New", "Newer", Status::Done), now() + TimeDelta::milliseconds(1));
    let replaced = jobs.replace(owner, job.id, &content, later).await.unwrap().unwrap();
    assert_eq!(replaced, Job { content, updated_at: later, ..job });
    assert_eq!(all(&second, owner).await, [neighbour, replaced]);
}

pub async fn what_is_not_there_cannot_be_replaced_or_deleted([jobs, second]: [Jobs; 2]) {
    let (owner, id) = (random::uuid(), random::uuid());
    assert_eq!(jobs.replace(owner, id, &content("x", "", Status::Open), now()).await.unwrap(), None);
    assert!(!second.delete(owner, id).await.unwrap());
    assert_eq!(all(&jobs, owner).await, []);
}

pub async fn of_racing_deletions_one_finds_the_job([jobs, second]: [Jobs; 2]) {
    let (ids, owner) = (JobIds::new(), random::uuid());
    let job = job(&ids, now());
    jobs.insert(owner, &job).await.unwrap();
    let racing = (0..16).map(|number| {
        let (jobs, id) = ([&jobs, &second][number % 2].clone(), job.id);
        tokio::spawn(async move { jobs.delete(owner, id).await.unwrap() })
    });
    let outcomes = join_all(racing.collect::<Vec<_>>()).await;
    let found = outcomes.into_iter().filter(|outcome| *outcome.as_ref().unwrap()).count();
    assert_eq!(found, 1);
}

pub async fn pages_put_together_are_the_whole_list([jobs, second]: [Jobs; 2]) {
    let ids = JobIds::new();
    // For each job, by how much the clock has moved and which of two users it is for.
    for (steps, limit) in cases(&(vec((-5_i64..5, any::<bool>()), 0..40), 1_i64..9)) {
        let owners = [random::uuid(), random::uuid()];
        let mut made = [Vec::new(), Vec::new()];
        let mut clock = now();
        for (step, is_second) in &steps {
            clock += TimeDelta::milliseconds(*step);
            let job = job(&ids, clock);
            jobs.insert(owners[usize::from(*is_second)], &job).await.unwrap();
            made[usize::from(*is_second)].insert(0, job);
        }
        for (owner, made) in owners.into_iter().zip(made) {
            let (mut listed, mut after) = (Vec::new(), None);
            loop {
                let JobPage { jobs, has_more } = second.list(owner, &page(limit, after)).await.unwrap();
                assert!(jobs.len() == usize::try_from(limit).unwrap() || !has_more, "{steps:?} by {limit}");
                listed.extend(jobs);
                after = listed.last().map(|job: &Job| job.id);
                if !has_more {
                    break;
                }
            }
            assert_eq!(listed, made, "{steps:?} by {limit}");
        }
    }
}

pub async fn pages_go_on_while_jobs_are_deleted([jobs, second]: [Jobs; 2]) {
    let ids = JobIds::new();
    // How many jobs, how many a page, and which of them go after each page.
    for (count, limit, deletions) in cases(&(1_usize..30, 1_i64..6, vec(vec(any::<prop::sample::Index>(), 0..4), 30))) {
        let owner = random::uuid();
        let mut made: Vec<Job> = Vec::new();
        for _ in 0..count {
            let job = job(&ids, now());
            jobs.insert(owner, &job).await.unwrap();
            made.insert(0, job);
        }
        let (mut listed, mut gone, mut after) = (Vec::<Uuid>::new(), HashSet::new(), None);
        for deleted in &deletions {
            let page = jobs.list(owner, &page(limit, after)).await.unwrap();
            assert!(page.jobs.iter().all(|job| !gone.contains(&job.id)), "a deleted job is listed");
            listed.extend(page.jobs.iter().map(|job| job.id));
            if !page.has_more {
                break;
            }
            after = listed.last().copied();
            for index in deleted {
                let id = index.get(&made).id;
                assert_eq!(second.delete(owner, id).await.unwrap(), gone.insert(id));
            }
        }
        let expected: Vec<_> =
            made.iter().map(|job| job.id).filter(|id| listed.contains(id) || !gone.contains(id)).collect();
        assert_eq!(listed, expected, "{count} by {limit}, {deletions:?}");
    }
}

pub async fn an_empty_table_is_seeded_and_no_other([jobs, second]: [Jobs; 2]) {
    let demo = demo_jobs();
    jobs.seed(&demo).await.unwrap();
    for one in &demo {
        assert_eq!(jobs.find(one.owner, one.job.id).await.unwrap().as_ref(), Some(&one.job));
    }
    assert!(jobs.delete(demo[0].owner, demo[0].job.id).await.unwrap());
    second.seed(&demo).await.unwrap();
    assert_eq!(jobs.find(demo[0].owner, demo[0].job.id).await.unwrap(), None);
}

pub async fn of_racing_seedings_one_counts([jobs, second]: [Jobs; 2]) {
    let racing = (0..8).map(|number| {
        let jobs = [&jobs, &second][number % 2].clone();
        tokio::spawn(async move { jobs.seed(&demo_jobs()).await.unwrap() })
    });
    for seeding in join_all(racing.collect::<Vec<_>>()).await {
        seeding.unwrap();
    }
    let owners: HashSet<_> = demo_jobs().iter().map(|demo| demo.owner).collect();
    let mut count = 0;
    for owner in owners {
        count += all(&jobs, owner).await.len();
    }
    assert_eq!(count, demo_jobs().len());
}
