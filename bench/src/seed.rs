//! What an installation has before it is measured: users, a session of each and its first refresh token, and jobs. It is written past
//! HTTP, for a login takes some 30 ms by design.

use auth_service::domain::session::{Session, after};
use chrono::{DateTime, SubsecRound, Utc};
use futures_util::{StreamExt, stream};
use jobs_service::domain::{Description, Job, JobContent, JobIds, Status, Title};
use jobs_service::store::Jobs;
use service_kit::database::Watched;
use shared_claims::{Clock, Minter, MinterSettings, RefreshGrant, SessionRandom, SystemClock, UserClaims, random};
use system_tests::people::Person;
use system_tests::site::Site;
use uuid::Uuid;

/// What is written at once; the stores put it together.
pub(crate) const AT_ONCE: usize = 64;

/// Jobs that each user has, and that a page of the list shows.
pub(crate) const JOBS: usize = 20;

/// One user, signed in once.
pub(crate) struct SignedIn {
    pub(crate) person: Person,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// Adds users with a session each.
pub(crate) async fn signed_in(site: &Site, count: usize) -> Vec<SignedIn> {
    let minter = minter(site);
    stream::iter(0..count).map(|_| sign_in(site, &minter)).buffer_unordered(AT_ONCE).collect().await
}

async fn sign_in(site: &Site, minter: &Minter) -> SignedIn {
    let person = site.person(now()).await;
    let session = session(random::uuid(), SessionRandom::generate());
    let grant = RefreshGrant {
        user_id: person.id,
        session_id: session.id,
        generation: session.generation,
        random: session.random,
        rotated_at: session.rotated_at,
    };
    let user = UserClaims { id: person.id, email: person.email.clone(), username: person.username.clone() };
    let signed_in = SignedIn {
        access_token: minter.mint_access(&user, session.id, now()),
        refresh_token: minter.mint_refresh(&grant),
        person,
    };
    let rules = config(site).rules();
    site.stores.sessions.start(signed_in.person.id, session, &rules, now()).await.expect("the token store works");
    signed_in
}

/// A session that has just begun.
pub(crate) fn session(id: Uuid, random: SessionRandom) -> Session {
    let now = now();
    Session {
        id,
        random,
        generation: 0,
        credential_version: 1,
        created_at: now,
        rotated_at: now,
        expires_at: after(now, std::time::Duration::from_hours(30 * 24)),
        fingerprint: None,
        spent_with: None,
        device_name: "Firefox on Linux".to_owned(),
        ip_address: [127, 0, 0, 1].into(),
    }
}

/// Adds jobs of these users. The service has made the table.
pub(crate) async fn jobs(site: &Site, owners: &[SignedIn]) {
    let config = jobs_config(site.jobs_environment());
    let database = jobs_service::database::open(&config).await.expect("the database can be opened");
    let jobs = Jobs::new(Watched::new("bench", database));
    let ids = JobIds::new();
    let all = owners.iter().flat_map(|owner| (0..JOBS).map(|number| (owner.person.id, number)));
    let writes = all.map(|(owner, number)| {
        let (jobs, job) = (&jobs, job(ids.next(now()), number));
        async move { jobs.insert(owner, &job).await.expect("the database works") }
    });
    stream::iter(writes).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

fn job(id: Uuid, number: usize) -> Job {
    let title = Title::parse(&format!("Job {number}: water the plants on the second floor")).expect("a title");
    let description = "The key is at the desk; mind the cactus.".to_owned();
    let content = JobContent {
        title,
        description: Description::parse(description).expect("a description"),
        status: Status::default(),
    };
    Job { id, content, created_at: now(), updated_at: now() }
}

/// The configuration of a site's auth-service.
pub(crate) fn config(site: &Site) -> auth_service::Config {
    auth_service::Config::load(None, site.environment(&[])).expect("a configuration that holds")
}

/// The configuration that a jobs-service reads from this environment.
pub(crate) fn jobs_config(environment: impl IntoIterator<Item = (String, String)>) -> jobs_service::Config {
    jobs_service::Config::load(None, environment).expect("a configuration that holds")
}

/// Mints what the site's auth-service would.
pub(crate) fn minter(site: &Site) -> Minter {
    let tokens = config(site).tokens;
    let keys = tokens.keys().expect("secrets that are fit for use");
    Minter::new(MinterSettings {
        access_keys: keys.access,
        refresh_keys: keys.refresh,
        issuer: tokens.issuer,
        audience: tokens.audience,
        access_ttl: tokens.access_ttl,
        refresh_ttl: tokens.refresh_ttl,
    })
}

/// To the millisecond, as the stores keep it.
pub(crate) fn now() -> DateTime<Utc> {
    SystemClock.now().trunc_subsecs(3)
}
