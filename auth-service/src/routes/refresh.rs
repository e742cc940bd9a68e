//! `POST /refresh-token`

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service_kit::http::ClientAddress;
use service_kit::problem::{JsonBody, Problem};

use super::login::TokenBody;
use crate::domain::device::Fingerprint;
use crate::domain::refresh::{self, IdempotencyKey, Refresh, RefreshRequest};
use crate::error::{FieldErrors, too_many_attempts};
use crate::state::State;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefreshBody {
    refresh_token: Option<SecretString>,
    fingerprint: Option<String>,
}

pub(super) async fn refresh(
    state: Data<State>,
    address: ClientAddress,
    request: HttpRequest,
    body: JsonBody<RefreshBody>,
) -> actix_web::Result<Json<TokenBody>> {
    let JsonBody(body) = body;
    let token = body.refresh_token.unwrap_or_default();
    let claims = refresh::verify(&state, token.expose_secret(), address.0).map_err(Problem::from)?;
    let idempotency_key = idempotency_key(&request)?;
    let mut errors = FieldErrors::default();
    let Some(fingerprint) = errors.check("fingerprint", Fingerprint::parse(body.fingerprint)) else {
        return Err(errors.into_problem().into());
    };
    let request = RefreshRequest { claims, fingerprint, idempotency_key, ip_address: address.0 };
    match refresh::refresh(&state, request).await? {
        Refresh::Granted(_, pair) => Ok(Json(TokenBody::from(pair))),
        Refresh::Refused(refusal) => Err(Problem::from(refusal).into()),
        Refresh::TooManyAttempts(wait) => Err(too_many_attempts(wait).into()),
    }
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = request.headers().get_all("Idempotency-Key");
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::bad_request("The header Idempotency-Key was sent more than once."));
    }
    IdempotencyKey::parse(value.as_bytes()).map(Some).map_err(|why| Problem::bad_request(format!("{why}.")))
}
