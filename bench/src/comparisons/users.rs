//! A refresh in a store with a million users against one with a thousand.

use rusqlite::Connection;
use system_tests::site::Site;

use super::Rows;
use super::refresh::refreshes;
use crate::ground::{Ground, auth_service, percentiles, rate_of_half};
use crate::seed;
use crate::table::{Goal, Row, median, rate};

const MANY: usize = 1_000_000;
const FEW: usize = 1_000;
/// Three a second for each session: with all that goes before, half of what one may have in a minute.
const MOST_PER_SECOND: f64 = 3_000.0;

/// Copies of a user with their session, told apart by their names. `?1` is how many.
const FILL: &str = "
    CREATE TEMP TABLE filler AS
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
        SELECT randomblob(16) AS id, 'filler' || n AS username FROM numbers";
const FILL_USERS: &str = "
    INSERT INTO users (id, username, email, email_key, password_hash, created_at)
        SELECT filler.id, filler.username, filler.username || '@example.test', filler.username || '@example.test',
               one.password_hash, one.created_at
        FROM filler, (SELECT password_hash, created_at FROM users LIMIT 1) AS one ORDER BY filler.id";
const FILL_SESSIONS: &str = "
    INSERT INTO sessions (user_id, record, keep_until)
        SELECT filler.id, one.record, one.keep_until
        FROM filler, (SELECT record, keep_until FROM sessions LIMIT 1) AS one ORDER BY filler.id";

pub(super) async fn users(ground: &Ground) -> Rows {
    let (many, few) = (ground.embedded().await, ground.embedded().await);
    let mut crews = Vec::new();
    let mut services = Vec::new();
    for (site, count) in [(&many, MANY), (&few, FEW)] {
        // Those that refresh are as many in both.
        let people = seed::signed_in(site, FEW).await;
        fill(site, count - people.len())?;
        let service = auth_service(site).await;
        crews.push(refreshes(service.address, &people).await?);
        services.push(service);
    }
    let [ours, theirs] = &mut crews[..] else { return Err("two crews".into()) };
    // Each session may be refreshed 120 times a minute, and a thousand of them are soon asked more of than that.
    let per_second = rate_of_half(theirs, ground.length / 2).await?.min(MOST_PER_SECOND);
    let (rounds, load) = ground
        .interleave(
            async |length| ours.at_rate(per_second, length).await,
            async |length| theirs.at_rate(per_second, length).await,
        )
        .await?;
    let middles = percentiles(&rounds, 50.0);
    let (ones, others): (Vec<_>, Vec<_>) = middles.iter().copied().unzip();
    Ok(vec![Row {
        this: "p50 of refresh, embedded, with 1 000 000 users and as many sessions".to_owned(),
        against: "with 1 000".to_owned(),
        goal: Goal::TimesAtMost(1.2),
        values: middles.iter().map(|(one, other)| one / other).collect(),
        figures: format!("{:.2} ms · {:.2} ms at {}", median(&ones), median(&others), rate(per_second)),
        load,
    }])
}

/// Adds users with a session each, all in one transaction and past the service.
fn fill(site: &Site, count: usize) -> rusqlite::Result<()> {
    let mut connection = Connection::open(site.directory().join("auth.db"))?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -500000")?;
    let transaction = connection.transaction()?;
    transaction.execute(FILL, [i64::try_from(count).unwrap_or(i64::MAX)])?;
    transaction.execute(FILL_USERS, [])?;
    transaction.execute(FILL_SESSIONS, [])?;
    transaction.commit()?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
}
