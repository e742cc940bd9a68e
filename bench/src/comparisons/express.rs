//! The calls of clients against the same in Express.

use std::error::Error;

use system_tests::program::Service;
use system_tests::site::Site;

use super::Rows;
use super::refresh::{SESSIONS, refreshes};
use super::resources::{OWNERS, list};
use crate::express;
use crate::ground::{Ground, Race, auth_service, jobs_service};
use crate::seed;
use crate::table::{Goal, Row};

const AGAINST: &str = "Express 5, cluster";

pub(super) async fn express(ground: &Ground) -> Rows {
    let embedded = ground.embedded_with_redis().await;
    let people = seed::signed_in(&embedded, OWNERS).await;
    let jobs = jobs_service(&embedded).await;
    seed::jobs(&embedded, &people).await;
    let other = express::program(&embedded, 0).serve().await;
    let race = refresh(ground, &embedded, &other).await?;
    let mut rows = vec![row("refresh, users in SQLite, sessions in Redis", 4.0, &race)];

    let (mut ours, mut theirs) = (list(jobs.address, &people).await?, list(other.address, &people).await?);
    let race = ground.race(&mut ours, &mut theirs).await?;
    rows.push(row("job list (20 rows), SQLite", 3.5, &race));
    drop((other, jobs));

    let distributed = ground.distributed().await;
    let other = express::program(&distributed, 0).serve().await;
    let race = refresh(ground, &distributed, &other).await?;
    rows.insert(1, row("refresh, users in PostgreSQL, sessions in Redis", 2.5, &race));
    Ok(rows)
}

async fn refresh(ground: &Ground, site: &Site, other: &Service) -> Result<Race, Box<dyn Error>> {
    let service = auth_service(site).await;
    // Before anything connects: whoever connects and says nothing for 5 s is hung up on.
    let (people, others) = (seed::signed_in(site, SESSIONS).await, seed::signed_in(site, SESSIONS).await);
    let mut ours = refreshes(service.address, &people).await?;
    let mut theirs = refreshes(other.address, &others).await?;
    Ok(ground.race(&mut ours, &mut theirs).await?)
}

fn row(this: &str, goal: f64, race: &Race) -> Row {
    Row {
        this: this.to_owned(),
        against: AGAINST.to_owned(),
        goal: Goal::TimesAtLeast(goal),
        values: race.ratios(),
        figures: race.figures(),
        load: race.load,
    }
}
