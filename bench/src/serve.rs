//! The baselines, as a service of their own: routes that do a part of what ours do, in the very frame that ours run in (spans, log lines,
//! metrics, limits on bodies, errors). They are nowhere but here, for no service should have an open door.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use auth_service::domain::session::{Presented, Rotation, SessionRules};
use auth_service::stores::{SessionStore, StoreError};
use futures_util::{StreamExt, TryStreamExt, stream};
use jobs_service::JobBody;
use jobs_service::domain::{Limit, PageRequest};
use jobs_service::store::Jobs;
use serde::Deserialize;
use service_kit::config::environment;
use service_kit::database::Watched;
use service_kit::health::Health;
use service_kit::metrics::Metrics;
use service_kit::problem::{Problem, QueryParams, resource};
use service_kit::{server, telemetry};
use shared_claims::{Caller, KeyHandle, SessionRandom, SystemClock, Verifier, VerifierSettings, random};
use uuid::Uuid;

use crate::seed;

/// Names the database of jobs in the environment; the rest is auth-service's.
pub(crate) const JOBS_DATABASE: &str = "BENCH_JOBS_DATABASE_URL";

/// Sessions that the script-only route rotates in turn: far more than there are connections.
const SESSIONS: usize = 2_000;

/// A session that is known here, so that nothing has to be read from a token.
struct Known {
    user_id: Uuid,
    session_id: Uuid,
    random: SessionRandom,
    generation: AtomicU64,
}

struct Rotations {
    store: Arc<dyn SessionStore>,
    rules: SessionRules,
    known: Vec<Known>,
    next: AtomicUsize,
}

/// Serves until told to stop.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let _telemetry = telemetry::init("bench");
    let stop = server::stop_signal();
    let environment = environment()?;
    let config = auth_service::Config::load(None, environment.clone())?;
    let stores = auth_service::stores::open(&config).await?;
    let rotations = Data::new(rotations(stores.sessions.clone(), config.rules()).await?);
    let jobs = Data::new(jobs(environment).await?);
    let verifier = Data::new(verifier(&config)?);
    let metrics = Metrics::new("bench", env!("CARGO_PKG_VERSION"));
    stores.show_in(&metrics);
    let server = server::bind(&config.server, Health::new("bench"), move |app| {
        metrics.count_requests(app);
        app.app_data(rotations.clone()).app_data(jobs.clone()).app_data(verifier.clone()).configure(routes);
    })?;
    tracing::info!(address = %server.address(), "bench is listening");
    Ok(server.run(stop).await?)
}

#[rustfmt::skip]
fn routes(app: &mut ServiceConfig) {
    app.service(resource("/open",      [(Method::GET,  web::to(open))]))
        .service(resource("/protected", [(Method::GET,  web::to(protected))]))
        .service(resource("/rotate",    [(Method::POST, web::to(rotate))]))
        .service(resource("/job-list",  [(Method::GET,  web::to(job_list))]));
}

async fn open() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

async fn protected(_: Caller) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Rotates one of the sessions, and nothing else.
async fn rotate(rotations: Data<Rotations>) -> Result<HttpResponse, Problem> {
    let turn = rotations.next.fetch_add(1, Ordering::Relaxed) % rotations.known.len();
    let known = &rotations.known[turn];
    let presented = Presented {
        session_id: known.session_id,
        random: known.random,
        generation: known.generation.fetch_add(1, Ordering::Relaxed),
        fingerprint: None,
        idempotency_key: None,
        credential_version: Some(1),
        ip_address: [127, 0, 0, 1].into(),
    };
    match rotations.store.rotate(known.user_id, &presented, &rotations.rules, seed::now()).await {
        Ok(Rotation::Rotated(_)) => Ok(HttpResponse::NoContent().finish()),
        Ok(other) => Err(Problem::bad_request(format!("{other:?}"))),
        Err(_) => Err(Problem::unavailable(1)),
    }
}

#[derive(Deserialize)]
struct Query {
    owner: Uuid,
    limit: i64,
}

/// What `GET /job-list` does once it knows who calls.
async fn job_list(jobs: Data<Jobs>, QueryParams(query): QueryParams<Query>) -> Result<impl Responder, Problem> {
    let limit = Limit::parse(query.limit).map_err(Problem::bad_request)?;
    let page = jobs.list(query.owner, &PageRequest { limit, after: None }).await;
    let page = page.map_err(|_| Problem::unavailable(1))?;
    Ok(web::Json(page.jobs.into_iter().map(JobBody::from).collect::<Vec<_>>()))
}

async fn rotations(store: Arc<dyn SessionStore>, rules: SessionRules) -> Result<Rotations, Box<dyn Error>> {
    let begin = |_| async {
        let (user_id, session_id, random) = (random::uuid(), random::uuid(), SessionRandom::generate());
        store.start(user_id, seed::session(session_id, random), &rules, seed::now()).await?;
        Ok::<_, StoreError>(Known { user_id, session_id, random, generation: AtomicU64::new(0) })
    };
    let known = stream::iter(0..SESSIONS).map(begin).buffer_unordered(seed::AT_ONCE).try_collect().await?;
    Ok(Rotations { store, rules, known, next: AtomicUsize::new(0) })
}

async fn jobs(mut environment: Vec<(String, String)>) -> Result<Jobs, Box<dyn Error>> {
    let url = std::env::var(JOBS_DATABASE)?;
    environment.retain(|(name, _)| name != "LATCHKEY_DATABASE__URL");
    environment.push(("LATCHKEY_DATABASE__URL".to_owned(), url));
    let database = jobs_service::database::open(&seed::jobs_config(environment)).await?;
    Ok(Jobs::new(Watched::new("bench", database)))
}

fn verifier(config: &auth_service::Config) -> Result<Verifier, Box<dyn Error>> {
    let keys: KeyHandle = config.tokens.keys()?.access;
    let settings = VerifierSettings {
        issuer: config.tokens.issuer.clone(),
        audience: "jobs-service".to_owned(),
        leeway: config.tokens.leeway,
    };
    Ok(Verifier::new(keys, settings, Arc::new(SystemClock))?)
}
