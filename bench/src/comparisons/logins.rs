//! Logins against the hashing alone, and other calls while many log in.

use std::error::Error;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use system_tests::people::PASSWORD;
use system_tests::site::Site;
use tokio::task::JoinSet;

use super::Rows;
use super::refresh::{SESSIONS, refreshes};
use super::resources::{OWNERS, list};
use crate::askers::Repeat;
use crate::ground::{Ground, auth_service, crew, jobs_service, percentiles, share};
use crate::load::{Crew, LoadError};
use crate::seed::{self, SignedIn};
use crate::table::{Goal, Row, median, rate};

/// Logins at once.
const AT_ONCE: usize = 16;

pub(super) async fn login(ground: &Ground) -> Rows {
    let site = ground.embedded().await;
    let service = auth_service(&site).await;
    let people = seed::signed_in(&site, AT_ONCE).await;
    let mut logins = logins(service.address, &people, AT_ONCE).await?;
    logins.at_full_speed(ground.length).await?;
    let watch = ground.watch();
    let mut rates = Vec::new();
    for _ in 0..ground.rounds {
        rates.push((logins.at_full_speed(ground.length).await?.rate(), hashes(ground.length).await?));
    }
    let load = watch.stop();
    let (ones, others): (Vec<_>, Vec<_>) = rates.iter().copied().unzip();
    Ok(vec![Row {
        this: format!("login, {AT_ONCE} at once"),
        against: format!("bare Argon2id with the same parameters on as many threads ({})", threads()),
        goal: Goal::PartAtLeast(0.85),
        values: rates.iter().map(|(one, other)| one / other).collect(),
        figures: format!("{} · {}", rate(median(&ones)), rate(median(&others))),
        load,
    }])
}

/// Connections that log these people in, again and again. Each of theirs has one who is nobody else's.
pub(super) async fn logins(
    address: std::net::SocketAddr,
    people: &[SignedIn],
    connections: usize,
) -> Result<Crew, LoadError> {
    let bodies = bodies(people);
    crew(address, connections, |number| Box::new(login_each(&share(&bodies, connections, number)))).await
}

/// The same, but more than can be served within the 2 s of a request: some of it is told to come again.
pub(super) async fn crowd(address: std::net::SocketAddr, people: &[SignedIn]) -> Result<Crew, LoadError> {
    let bodies = bodies(people);
    crew(address, bodies.len(), |number| Box::new(login_each(&bodies[number..=number]).or_busy())).await
}

fn bodies(people: &[SignedIn]) -> Vec<String> {
    people.iter().map(|one| one.person.credentials().to_string()).collect()
}

fn login_each(bodies: &[String]) -> Repeat {
    Repeat::post_each("/login", bodies, 200)
}

/// As many as the service hashes on: one fewer than there are cores.
fn threads() -> usize {
    available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1)
}

/// Hashes a second, each thread with a buffer of its own that it uses again.
async fn hashes(length: Duration) -> Result<f64, Box<dyn Error>> {
    let mut running = JoinSet::new();
    for _ in 0..threads() {
        running.spawn_blocking(move || hash_for(length));
    }
    Ok(running.join_all().await.iter().sum())
}

#[allow(clippy::disallowed_methods, reason = "a measurement")]
fn hash_for(length: Duration) -> f64 {
    let params = Params::new(19_456, 2, 1, Some(Params::DEFAULT_OUTPUT_LEN)).expect("within Argon2's ranges");
    let mut buffer = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (start, mut count) = (Instant::now(), 0.0);
    while start.elapsed() < length {
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        let hashed = argon2.hash_password_into_with_memory(PASSWORD.as_bytes(), &[7; 16], &mut output, &mut buffer);
        hashed.expect("Argon2 hashes any password");
        count += 1.0;
    }
    count / start.elapsed().as_secs_f64()
}

pub(super) async fn beside(ground: &Ground) -> Rows {
    let distributed = ground.distributed().await;
    let service = auth_service(&distributed).await;
    let calls = refreshes(service.address, &seed::signed_in(&distributed, SESSIONS).await).await?;
    let refresh = beside_logins(ground, "refresh, Redis and PostgreSQL", calls, &distributed, service.address).await?;
    drop(service);

    let site = ground.embedded().await;
    let people = seed::signed_in(&site, OWNERS).await;
    let (service, jobs) = (auth_service(&site).await, jobs_service(&site).await);
    seed::jobs(&site, &people).await;
    let calls = list(jobs.address, &people).await?;
    let list = beside_logins(ground, "job list, embedded", calls, &site, service.address).await?;
    Ok(vec![refresh, list])
}

async fn beside_logins(
    ground: &Ground,
    what: &str,
    calls: Crew,
    site: &Site,
    address: std::net::SocketAddr,
) -> Result<Row, Box<dyn Error>> {
    let mut logins = logins(address, &seed::signed_in(site, AT_ONCE).await, AT_ONCE).await?;
    let calls = tokio::sync::Mutex::new(calls);
    // The rate that is the same for both is half of what there is room for beside the logins.
    let (most, _) = {
        let mut calls = calls.lock().await;
        tokio::try_join!(calls.at_full_speed(ground.length), logins.at_full_speed(ground.length))?
    };
    let per_second = most.rate() / 2.0;
    let (rounds, load) = ground
        .interleave(
            async |length| {
                let mut calls = calls.lock().await;
                let (calls, _) = tokio::try_join!(calls.at_rate(per_second, length), logins.at_full_speed(length))?;
                Ok::<_, LoadError>(calls)
            },
            async |length| calls.lock().await.at_rate(per_second, length).await,
        )
        .await?;
    let tails = percentiles(&rounds, 99.0);
    let (ones, others): (Vec<_>, Vec<_>) = tails.iter().copied().unzip();
    Ok(Row {
        this: format!("p99 of {what}, beside {AT_ONCE} logins at once"),
        against: "the same with none".to_owned(),
        goal: Goal::TimesAtMost(2.0),
        values: tails.iter().map(|(one, other)| one / other).collect(),
        figures: format!("{:.2} ms · {:.2} ms at {}", median(&ones), median(&others), rate(per_second)),
        load,
    })
}
