//! Memory of each service, before anybody has logged in and while many do.

use std::time::Duration;

use super::Rows;
use super::logins::crowd;
use super::resources::{OWNERS, list};
use crate::ground::{Ground, auth_service, jobs_service};
use crate::machine::{Load, memory as memory_of};
use crate::seed;
use crate::table::{Goal, Row};

/// Logins at once.
const AT_ONCE: usize = 64;
/// A login takes some 30 ms, so that each connection has had a few.
const LONG_ENOUGH: Duration = Duration::from_secs(5);

/// What a process has in memory, and the most that it ever had.
const RESIDENT: &str = "VmRSS";
const MOST_RESIDENT: &str = "VmHWM";

pub(super) async fn memory(ground: &Ground) -> Rows {
    let mut rows = Vec::new();
    for (site, storage) in [(ground.embedded().await, "embedded"), (ground.distributed().await, "Redis and PostgreSQL")]
    {
        let people = seed::signed_in(&site, OWNERS).await;
        drop(jobs_service(&site).await);
        seed::jobs(&site, &people).await;
        let watch = ground.watch();
        let (mut before, mut under) = ([vec![], vec![]], [vec![], vec![]]);
        for _ in 0..ground.rounds {
            let services = [auth_service(&site).await, jobs_service(&site).await];
            let [auth, jobs] = &services;
            for (values, service) in before.iter_mut().zip(&services) {
                service.client().readiness().await;
                values.push(memory_of(service.id(), RESIDENT));
            }
            let mut logins = crowd(auth.address, &people[..AT_ONCE]).await?;
            let mut lists = list(jobs.address, &people).await?;
            let length = ground.length.min(LONG_ENOUGH);
            tokio::try_join!(logins.at_full_speed(length), lists.at_full_speed(length))?;
            for (values, service) in under.iter_mut().zip(&services) {
                values.push(memory_of(service.id(), MOST_RESIDENT));
            }
        }
        let load = watch.stop();
        let under_what = format!("under {AT_ONCE} logins at once, and job lists");
        for (name, values) in ["auth-service", "jobs-service"].into_iter().zip(before) {
            rows.push(row(name, storage, "before the first login", 20.0, values, load));
        }
        for (name, values) in ["auth-service", "jobs-service"].into_iter().zip(under) {
            rows.push(row(name, storage, &under_what, 80.0, values, load));
        }
    }
    Ok(rows)
}

fn row(service: &str, storage: &str, when: &str, goal: f64, values: Vec<f64>, load: Load) -> Row {
    Row {
        this: format!("memory of {service}, {storage}, {when}"),
        against: String::new(),
        goal: Goal::MegabytesAtMost(goal),
        values,
        figures: String::new(),
        load,
    }
}
