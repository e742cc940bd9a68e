//! `POST /logout`

use actix_web::HttpResponse;
use actix_web::web::Data;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service_kit::http::ClientAddress;
use service_kit::problem::JsonBody;
use utoipa::ToSchema;

use crate::domain::sessions;
use crate::state::State;

/// Whose session is to end.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Logout)]
pub(super) struct LogoutBody {
    #[schema(value_type = String, examples("eyJ0eXAiOiJydCtqd3Qi…"))]
    refresh_token: SecretString,
}

/// Log out: the session of a refresh token ends
///
/// Whatever the token's generation, expiry or fingerprint. Any other text ends nothing, and is answered alike.
#[utoipa::path(
    post,
    path = "/logout",
    tag = "signing in",
    request_body = LogoutBody,
    responses((status = 204, description = "No session grows from this token any more."))
)]
pub(super) async fn logout(
    state: Data<State>,
    address: ClientAddress,
    body: JsonBody<LogoutBody>,
) -> actix_web::Result<HttpResponse> {
    sessions::sign_out(&state, body.0.refresh_token.expose_secret(), address.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
