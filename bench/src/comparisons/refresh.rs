//! What a refresh pays for what it does beside the rotation itself, and what the rotation pays for the way to Redis.

use std::error::Error;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use auth_service::domain::session::Presented;
use auth_service::stores::RedisSessions;
use redis::{Arg, Cmd};
use shared_claims::{SessionRandom, random};
use system_tests::site::Site;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::Rows;
use crate::askers::{Refresh, Repeat};
use crate::ground::{CONNECTIONS, Ground, auth_service, baselines, crew, share};
use crate::load::{Crew, LoadError};
use crate::seed::{self, SignedIn};
use crate::table::{Goal, Row, median, rate};

/// Sessions that are refreshed in turn: each may be refreshed 120 times at once, and 120 times a minute.
pub(super) const SESSIONS: usize = 10_000;

/// What redis-benchmark sends in one go.
const COMMANDS: usize = 100_000;
/// Its users. They are told apart by the last twelve digits of their id, which is what it puts at random in place of its mark.
const USERS: u32 = 2_000;
const FIRST_USER: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000);
const MARK: &str = "__rand_int__";
/// The generation that is its own successor as a script counts, in double precision: the very same rotation again and again.
const STANDING_GENERATION: u64 = 1 << 53;

pub(super) async fn refresh(ground: &Ground) -> Rows {
    let (distributed, embedded) = (ground.distributed().await, ground.embedded().await);
    let baseline = baselines(&distributed).await;
    let mut rows = Vec::new();
    for (site, this, goal) in
        [(&distributed, "refresh, Redis and PostgreSQL", 0.40), (&embedded, "refresh, embedded, durable", 0.40)]
    {
        let service = auth_service(site).await;
        let mut refreshes = refreshes(service.address, &seed::signed_in(site, SESSIONS).await).await?;
        let mut rotations = rotations(baseline.address).await?;
        let race = ground.race(&mut refreshes, &mut rotations).await?;
        rows.push(Row {
            this: this.to_owned(),
            against: "a route that only runs the rotation script in Redis".to_owned(),
            goal: Goal::PartAtLeast(goal),
            values: race.ratios(),
            figures: race.figures(),
            load: race.load,
        });
    }
    rows.push(against_redis_alone(ground, &distributed, baseline.address).await?);
    Ok(rows)
}

/// Connections that refresh the sessions of these people in turn.
pub(super) async fn refreshes(address: SocketAddr, people: &[SignedIn]) -> Result<Crew, LoadError> {
    let tokens: Vec<String> = people.iter().map(|one| one.refresh_token.clone()).collect();
    crew(address, CONNECTIONS, |number| Box::new(Refresh::new(share(&tokens, CONNECTIONS, number)))).await
}

async fn rotations(address: SocketAddr) -> Result<Crew, LoadError> {
    crew(address, CONNECTIONS, |_| Box::new(Repeat::post_empty("/rotate", 204))).await
}

async fn against_redis_alone(ground: &Ground, site: &Site, baseline: SocketAddr) -> Result<Row, Box<dyn Error>> {
    let servers = ground.servers();
    let command = standing_rotation(site).await;
    for _ in 0..2 {
        let answer: Vec<redis::Value> = servers.redis.ask(&command);
        let outcome: String = redis::from_redis_value(answer[0].clone())?;
        if outcome != "rotated" {
            return Err(format!("the command of redis-benchmark does not rotate: {outcome}").into());
        }
    }
    let mut rotations = rotations(baseline).await?;
    rotations.at_full_speed(ground.length / 2).await?;
    let watch = ground.watch();
    let mut rates = Vec::new();
    for _ in 0..ground.rounds {
        let one = rotations.at_full_speed(ground.length).await?.rate();
        let (port, arguments) = (servers.redis.port(), arguments(&command)?);
        rates.push((one, spawn_blocking(move || redis_benchmark(port, &arguments)).await??));
    }
    let load = watch.stop();
    let (ones, others): (Vec<_>, Vec<_>) = rates.iter().copied().unzip();
    Ok(Row {
        this: "the route that only runs the rotation script".to_owned(),
        against: "`redis-benchmark`, the same EVALSHA".to_owned(),
        goal: Goal::PartAtLeast(0.60),
        values: rates.iter().map(|(one, other)| one / other).collect(),
        figures: format!("{} · {}", rate(median(&ones)), rate(median(&others))),
        load,
    })
}

/// A rotation that can be sent again as it is. The sessions of all its users have one id and one random value.
async fn standing_rotation(site: &Site) -> Cmd {
    let rules = seed::config(site).rules();
    let (session_id, random) = (without_nul(), SessionRandom(*without_nul().as_bytes()));
    // An argument of a program has no NUL in it: neither must these.
    let credential_version = i64::from_be_bytes([1; 8]);
    let session = || {
        let session = seed::session(session_id, random);
        auth_service::domain::session::Session { credential_version, generation: STANDING_GENERATION, ..session }
    };
    for number in 0..USERS {
        // Decimal digits, as redis-benchmark writes them.
        let id = format!("10000000-0000-4000-8000-{number:012}").parse().expect("an id");
        site.stores.sessions.start(id, session(), &rules, seed::now()).await.expect("Redis works");
    }
    let presented = Presented {
        session_id,
        random,
        generation: STANDING_GENERATION,
        fingerprint: None,
        idempotency_key: None,
        credential_version: Some(credential_version),
        ip_address: [203, 1, 113, 7].into(),
    };
    // Once as ever, so that Redis knows the script.
    site.stores.sessions.rotate(FIRST_USER, &presented, &rules, seed::now()).await.expect("Redis works");
    RedisSessions::rotating(FIRST_USER, &presented, &rules, seed::now())
}

fn without_nul() -> Uuid {
    Uuid::from_bytes(random::bytes::<16>().map(|byte| byte.max(1)))
}

/// The command as words for a program, with the mark in place of the user.
fn arguments(command: &Cmd) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let user = FIRST_USER.to_string();
    let words = command.args_iter().map(|word| match word {
        Arg::Simple(word) => match std::str::from_utf8(word) {
            Ok(text) => Ok(text.replace(&user, &format!("{}{MARK}", &user[..24])).into_bytes()),
            Err(_) => Ok(word.to_vec()),
        },
        _ => Err("a command of words alone".into()),
    });
    let words = words.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    if words.iter().any(|word| word.contains(&0)) { Err("an argument has a NUL in it".into()) } else { Ok(words) }
}

/// Commands a second, by its own account.
fn redis_benchmark(port: u16, command: &[Vec<u8>]) -> Result<f64, String> {
    let mut program = Command::new("redis-benchmark");
    program.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", &CONNECTIONS.to_string()]);
    program.args(["-n", &COMMANDS.to_string(), "-r", &USERS.to_string(), "--csv"]);
    program.args(command.iter().map(|word| OsStr::from_bytes(word)));
    let output = program.output().map_err(|error| format!("redis-benchmark cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    // "test","rps","avg","min","p50","p95","p99","max": the test's name has the command's bytes in it.
    let rate = text.trim_end().rsplit(',').nth(6).and_then(|rate| rate.trim_matches('"').parse().ok());
    rate.ok_or_else(|| format!("redis-benchmark says: {text} {}", String::from_utf8_lossy(&output.stderr)))
}
