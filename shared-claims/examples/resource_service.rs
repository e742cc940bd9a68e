//! The smallest service of your own: notes, which each user has to themselves. Who calls is known from the access token and
//! from nothing else. `docs/add-a-service.md` walks through it; `jobs-service` is what it may grow into.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::{Data, Json, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer, get, post};
use secrecy::SecretString;
use shared_claims::{Caller, Clock, KeyHandle, KeyRing, SystemClock, Verifier, VerifierSettings};
use uuid::Uuid;

type Notes = Mutex<HashMap<Uuid, Vec<String>>>;

#[get("/notes")]
async fn list(caller: Caller, notes: Data<Notes>) -> Json<Vec<String>> {
    let notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    Json(notes.get(&caller.user_id()).cloned().unwrap_or_default())
}

#[post("/notes")]
async fn add(caller: Caller, notes: Data<Notes>, note: Json<String>) -> HttpResponse {
    let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    notes.entry(caller.user_id()).or_default().push(note.into_inner());
    HttpResponse::Created().finish()
}

fn routes(app: &mut ServiceConfig) {
    app.service(list).service(add);
}

/// Believes tokens of this issuer that name this service in `aud`, and no others.
fn verifier(keys: KeyRing, clock: Arc<dyn Clock>) -> Result<Verifier, Box<dyn Error>> {
    let (issuer, audience) = ("latchkey".to_owned(), "notes-service".to_owned());
    Ok(Verifier::new(KeyHandle::new(keys), VerifierSettings { issuer, audience, leeway: Duration::ZERO }, clock)?)
}

/// The access secret of auth-service, and those that are accepted beside it while one is being replaced.
fn keys() -> Result<KeyRing, Box<dyn Error>> {
    const SECRET: &str = "LATCHKEY_TOKENS__ACCESS_SECRET";
    let secret = env::var(SECRET).map_err(|error| format!("{SECRET}: {error}"))?;
    let accepted = env::var("LATCHKEY_TOKENS__ACCEPTED_ACCESS_SECRETS").unwrap_or_default();
    let accepted: Vec<_> = accepted.split(',').filter(|secret| !secret.is_empty()).map(SecretString::from).collect();
    Ok(KeyRing::new(&secret.into(), &accepted)?)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Data::new(verifier(keys()?, Arc::new(SystemClock))?);
    let notes = Data::new(Notes::default());
    let app = move || App::new().app_data(verifier.clone()).app_data(notes.clone()).configure(routes);
    Ok(HttpServer::new(app).bind(("127.0.0.1", 8083))?.run().await?)
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
    use shared_claims::{Minter, MinterSettings, UserClaims, generate_secret, random};

    use super::*;

    /// A verifier, and the access token of somebody new.
    fn verifier_and_token() -> (Data<Verifier>, String) {
        let secret = generate_secret();
        let ring = || KeyRing::new(&secret, &[]).unwrap();
        let minter = Minter::new(MinterSettings {
            access_keys: KeyHandle::new(ring()),
            refresh_keys: KeyHandle::new(ring()),
            issuer: "latchkey".into(),
            audience: vec!["notes-service".into()],
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(1),
        });
        let user = UserClaims { id: random::uuid(), email: "ada@example.test".into(), username: "ada".into() };
        let token = minter.mint_access(&user, random::uuid(), SystemClock.now());
        (Data::new(verifier(ring(), Arc::new(SystemClock)).unwrap()), token)
    }

    #[actix_web::test]
    async fn callers_see_their_own_notes() {
        let (verifier, token) = verifier_and_token();
        let notes = Data::new(Notes::default());
        notes.lock().unwrap().insert(random::uuid(), vec!["somebody else's".into()]);
        let app = init_service(App::new().app_data(verifier).app_data(notes).configure(routes)).await;
        let authorization = ("authorization", format!("Bearer {token}"));

        let adding = TestRequest::post().uri("/notes").insert_header(authorization.clone()).set_json("buy strings");
        assert_eq!(call_service(&app, adding.to_request()).await.status(), StatusCode::CREATED);
        let listing = TestRequest::get().uri("/notes").insert_header(authorization).to_request();
        let listed: Vec<String> = read_body_json(call_service(&app, listing).await).await;
        assert_eq!(listed, ["buy strings"]);
    }

    #[actix_web::test]
    async fn without_an_access_token_there_is_nothing_to_see() {
        let (verifier, _) = verifier_and_token();
        let app = App::new().app_data(verifier).app_data(Data::new(Notes::default())).configure(routes);
        let request = TestRequest::get().uri("/notes").to_request();
        assert_eq!(call_service(&init_service(app).await, request).await.status(), StatusCode::UNAUTHORIZED);
    }
}
