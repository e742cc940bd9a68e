//! `PUT /current-user/password`

use actix_web::HttpResponse;
use actix_web::web::Data;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::http::ClientAddress;
use service_kit::problem::JsonBody;
use shared_claims::AccessRefused;

use super::live_caller::LiveCaller;
use crate::domain::account::{self, PasswordChange, PasswordChanged};
use crate::error::{FieldErrors, too_many_attempts};
use crate::state::State;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PasswordBody {
    current_password: SecretString,
    new_password: SecretString,
}

pub(super) async fn change(
    state: Data<State>,
    caller: LiveCaller,
    address: ClientAddress,
    body: JsonBody<PasswordBody>,
) -> actix_web::Result<HttpResponse> {
    let JsonBody(body) = body;
    let LiveCaller { user, session_id, .. } = caller;
    let PasswordBody { current_password, new_password } = body;
    let change = PasswordChange { user, session_id, current_password, new_password, ip_address: address.0 };
    match account::change_password(&state, change).await? {
        PasswordChanged::Yes => Ok(HttpResponse::NoContent().finish()),
        PasswordChanged::Unacceptable(why) => Err(FieldErrors::of("newPassword", why).into()),
        PasswordChanged::WrongPassword => Err(FieldErrors::of("currentPassword", "is not the current password").into()),
        PasswordChanged::TooManyAttempts(wait) => Err(too_many_attempts(wait).into()),
        PasswordChanged::NotLive => Err(AccessRefused::Revoked.into()),
    }
}
