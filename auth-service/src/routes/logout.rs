//! `POST /logout`

use actix_web::HttpResponse;
use actix_web::web::Data;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service_kit::http::ClientAddress;
use service_kit::problem::JsonBody;

use crate::domain::sessions;
use crate::state::State;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogoutBody {
    refresh_token: SecretString,
}

pub(super) async fn logout(
    state: Data<State>,
    address: ClientAddress,
    body: JsonBody<LogoutBody>,
) -> actix_web::Result<HttpResponse> {
    sessions::sign_out(&state, body.0.refresh_token.expose_secret(), address.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
