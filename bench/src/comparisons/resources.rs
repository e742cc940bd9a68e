//! What a resource service pays for knowing who calls.

use super::Rows;
use crate::askers::Repeat;
use crate::ground::{CONNECTIONS, Ground, baselines, crew, jobs_service};
use crate::load::{Asker, Crew, LoadError};
use crate::seed::{self, JOBS, SignedIn};
use crate::table::{Goal, Row};

/// Users whose jobs are listed in turn.
pub(super) const OWNERS: usize = 100;

/// A page of twenty jobs is longer than this.
const PAGE_BYTES: usize = 3_000;

pub(super) async fn empty(ground: &Ground) -> Rows {
    let site = ground.embedded().await;
    let people = seed::signed_in(&site, OWNERS).await;
    let tokens: Vec<&str> = people.iter().map(|one| one.access_token.as_str()).collect();
    let server = baselines(&site).await;
    let mut protected =
        crew(server.address, CONNECTIONS, |_| Box::new(Repeat::get("/protected", &tokens, 204))).await?;
    let mut open = crew(server.address, CONNECTIONS, |_| Box::new(Repeat::get("/open", &[], 204))).await?;
    let race = ground.race(&mut protected, &mut open).await?;
    Ok(vec![Row {
        this: "protected empty route".to_owned(),
        against: "the same route open".to_owned(),
        goal: Goal::PartAtLeast(0.80),
        values: race.ratios(),
        figures: race.figures(),
        load: race.load,
    }])
}

pub(super) async fn jobs(ground: &Ground) -> Rows {
    let site = ground.embedded().await;
    let people = seed::signed_in(&site, OWNERS).await;
    let service = jobs_service(&site).await;
    seed::jobs(&site, &people).await;
    let server = baselines(&site).await;
    let mut list = list(service.address, &people).await?;
    let paths: Vec<_> = people.iter().map(|one| format!("/job-list?limit={JOBS}&owner={}", one.person.id)).collect();
    let query = |_| -> Box<dyn Asker> { Box::new(Repeat::get_each(&paths, 200).of_at_least(PAGE_BYTES)) };
    let mut query = crew(server.address, CONNECTIONS, query).await?;
    let race = ground.race(&mut list, &mut query).await?;
    Ok(vec![Row {
        this: format!("job list ({JOBS} rows)"),
        against: "the same query with no authentication".to_owned(),
        goal: Goal::PartAtLeast(0.90),
        values: race.ratios(),
        figures: race.figures(),
        load: race.load,
    }])
}

/// Connections that list the jobs of these people in turn.
pub(super) async fn list(address: std::net::SocketAddr, people: &[SignedIn]) -> Result<Crew, LoadError> {
    let tokens: Vec<&str> = people.iter().map(|one| one.access_token.as_str()).collect();
    let path = format!("/job-list?limit={JOBS}");
    crew(address, CONNECTIONS, |_| Box::new(Repeat::get(&path, &tokens, 200).of_at_least(PAGE_BYTES))).await
}
