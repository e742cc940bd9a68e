//! `POST /refresh-token`

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service_kit::http::ClientAddress;
use service_kit::problem::{JsonBody, Problem};
use utoipa::ToSchema;

use super::login::TokenBody;
use super::openapi::{RefreshRefused, TooManyAttempts, ValidationFailed};
use crate::domain::device::Fingerprint;
use crate::domain::refresh::{self, IdempotencyKey, Refresh, RefreshRequest};
use crate::error::{FieldErrors, too_many_attempts};
use crate::state::State;

/// The token to be exchanged.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Refresh)]
pub(super) struct RefreshBody {
    #[schema(value_type = Option<String>, examples("eyJ0eXAiOiJydCtqd3Qi…"))]
    refresh_token: Option<SecretString>,
    /// What the login sent, if it sent one.
    #[schema(max_length = 512)]
    fingerprint: Option<String>,
}

/// Exchange a refresh token for the next pair
///
/// A token can be spent once. With an `Idempotency-Key`, made at random for each refresh token and sent at every try, a lost answer
/// costs nothing: the same request once more brings the same refresh token. A spent token without it ends its session.
#[utoipa::path(
    post,
    path = "/refresh-token",
    tag = "signing in",
    params((
        "Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 16, max_length = 128, pattern = "^[!-~]{16,128}$",
        description = "16 to 128 visible ASCII characters, the same for each try of one refresh."
    )),
    request_body = RefreshBody,
    responses(
        (status = 200, description = "The session goes on, with these.", body = TokenBody, links(
            ("refresh" = (operation_id = "refresh", request_body = json!({ "refreshToken": "$response.body#/refreshToken" }))),
        )),
        RefreshRefused,
        ValidationFailed,
        TooManyAttempts,
    )
)]
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
