//! What every database must do for the store of jobs. `store_suite!(open)` makes each a test, `open` being an async function that
//! answers with an empty database of our schema and whatever has to live as long as it.

use std::collections::HashSet;
use std::sync::Arc;

use actix_web::rt::spawn;
use chrono::{DateTime, TimeDelta, Utc};
use jobs_service::domain::{
    Description, Job, JobContent, JobIds, JobPage, Limit, PageRequest, Status, Title, demo_jobs,
};
use jobs_service::store::Jobs;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use service_kit::database::Database;
use shared_claims::random;
use uuid::Uuid;

use crate::support::time;

macro_rules! store_suite {
    ($open:path) => {
        $crate::store_suite::store_suite! { $open:
            a_job_is_found_as_it_was_inserted
            nobody_reaches_the_job_of_another
            a_replaced_job_keeps_the_time_it_was_made
            what_is_not_there_cannot_be_replaced_or_deleted
            of_racing_deletions_one_finds_the_job
            pages_put_together_are_the_whole_list
            pages_go_on_while_jobs_are_deleted
            an_empty_table_is_seeded_and_no_other
            of_racing_seedings_one_counts
        }
    };
    ($open:path: $($test:ident)*) => {$(
        #[actix_web::test]
        async fn $test() {
            let (database, _kept) = $open().await;
            $crate::store_suite::$test(database).await;
        }
    )*};
}
pub(crate) use store_suite;

fn now() -> DateTime<Utc> {
    time("2026-11-23T12:00:00.123Z")
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

pub(crate) async fn a_job_is_found_as_it_was_inserted(database: Arc<dyn Database>) {
    let (jobs, ids, owner) = (Jobs::new(database), JobIds::new(), random::uuid());
    let texts =
        [("Größe 大きさ 🦀", ""), ("'; DROP TABLE jobs; --", "$1 %s \\ \" \u{7} \n\r\t"), ("x", &"é".repeat(5_000))];
    let statuses = [Status::Open, Status::InProgress, Status::Done];
    for ((title, description), status) in texts.into_iter().zip(statuses) {
        let job = Job { content: content(title, description, status), ..job(&ids, now()) };
        jobs.insert(owner, &job).await.unwrap();
        assert_eq!(jobs.find(owner, job.id).await.unwrap(), Some(job));
    }
}

pub(crate) async fn nobody_reaches_the_job_of_another(database: Arc<dyn Database>) {
    let (jobs, ids, owner, other) = (Jobs::new(database), JobIds::new(), random::uuid(), random::uuid());
    let job = job(&ids, now());
    jobs.insert(owner, &job).await.unwrap();
    assert_eq!(jobs.find(other, job.id).await.unwrap(), None);
    assert_eq!(jobs.replace(other, job.id, &content("Taken", "", Status::Done), now()).await.unwrap(), None);
    assert!(!jobs.delete(other, job.id).await.unwrap());
    assert_eq!(all(&jobs, other).await, []);
    assert_eq!(all(&jobs, owner).await, [job]);
}

pub(crate) async fn a_replaced_job_keeps_the_time_it_was_made(database: Arc<dyn Database>) {
    let (jobs, ids, owner) = (Jobs::new(database), JobIds::new(), random::uuid());
    let (job, neighbour) = (job(&ids, now()), job(&ids, now()));
    jobs.insert(owner, &job).await.unwrap();
    jobs.insert(owner, &neighbour).await.unwrap();
    let (content, later) = (content("New", "Newer", Status::Done), now() + TimeDelta::milliseconds(1));
    let replaced = jobs.replace(owner, job.id, &content, later).await.unwrap().unwrap();
    assert_eq!(replaced, Job { content, updated_at: later, ..job });
    assert_eq!(all(&jobs, owner).await, [neighbour, replaced]);
}

pub(crate) async fn what_is_not_there_cannot_be_replaced_or_deleted(database: Arc<dyn Database>) {
    let (jobs, owner, id) = (Jobs::new(database), random::uuid(), random::uuid());
    assert_eq!(jobs.replace(owner, id, &content("x", "", Status::Open), now()).await.unwrap(), None);
    assert!(!jobs.delete(owner, id).await.unwrap());
    assert_eq!(all(&jobs, owner).await, []);
}

pub(crate) async fn of_racing_deletions_one_finds_the_job(database: Arc<dyn Database>) {
    let (jobs, ids, owner) = (Jobs::new(database), JobIds::new(), random::uuid());
    let job = job(&ids, now());
    jobs.insert(owner, &job).await.unwrap();
    let racing: Vec<_> = (0..16)
        .map(|_| {
            let (jobs, id) = (jobs.clone(), job.id);
            spawn(async move { jobs.delete(owner, id).await.unwrap() })
        })
        .collect();
    let mut found = 0;
    for deletion in racing {
        found += usize::from(deletion.await.unwrap());
    }
    assert_eq!(found, 1);
}

pub(crate) async fn pages_put_together_are_the_whole_list(database: Arc<dyn Database>) {
    let (jobs, ids) = (Jobs::new(database), JobIds::new());
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
                let JobPage { jobs, has_more } = jobs.list(owner, &page(limit, after)).await.unwrap();
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

pub(crate) async fn pages_go_on_while_jobs_are_deleted(database: Arc<dyn Database>) {
    let (jobs, ids) = (Jobs::new(database), JobIds::new());
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
                assert_eq!(jobs.delete(owner, id).await.unwrap(), gone.insert(id));
            }
        }
        let expected: Vec<_> =
            made.iter().map(|job| job.id).filter(|id| listed.contains(id) || !gone.contains(id)).collect();
        assert_eq!(listed, expected, "{count} by {limit}, {deletions:?}");
    }
}

pub(crate) async fn an_empty_table_is_seeded_and_no_other(database: Arc<dyn Database>) {
    let jobs = Jobs::new(database);
    let demo = demo_jobs();
    jobs.seed(&demo).await.unwrap();
    for one in &demo {
        assert_eq!(jobs.find(one.owner, one.job.id).await.unwrap().as_ref(), Some(&one.job));
    }
    assert!(jobs.delete(demo[0].owner, demo[0].job.id).await.unwrap());
    jobs.seed(&demo).await.unwrap();
    assert_eq!(jobs.find(demo[0].owner, demo[0].job.id).await.unwrap(), None);
}

pub(crate) async fn of_racing_seedings_one_counts(database: Arc<dyn Database>) {
    let jobs = Jobs::new(database);
    let seed = |jobs: Jobs| spawn(async move { jobs.seed(&demo_jobs()).await.unwrap() });
    for seeding in (0..8).map(|_| seed(jobs.clone())).collect::<Vec<_>>() {
        seeding.await.unwrap();
    }
    let owners: HashSet<_> = demo_jobs().iter().map(|demo| demo.owner).collect();
    let mut count = 0;
    for owner in owners {
        count += all(&jobs, owner).await.len();
    }
    assert_eq!(count, demo_jobs().len());
}
