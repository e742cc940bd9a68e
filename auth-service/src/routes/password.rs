//! `PUT /current-user/password`

use actix_web::HttpResponse;
use actix_web::web::Data;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::http::ClientAddress;
use service_kit::problem::JsonBody;
use shared_claims::AccessRefused;
use utoipa::ToSchema;

use super::live_caller::LiveCaller;
use super::openapi::{AccessTokenRefused, TooManyAttempts, ValidationFailed};
use crate::domain::account::{self, PasswordChange, PasswordChanged};
use crate::error::{FieldErrors, too_many_attempts};
use crate::state::State;

/// The old password and the new one, both verbatim.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasswordChange)]
pub(super) struct PasswordBody {
    #[schema(value_type = String, format = Password, examples("latchkey-demo-ada"))]
    current_password: SecretString,
    /// None that is soon guessed.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 128, examples("fossils from Lyme Regis"))]
    new_password: SecretString,
}

/// Change the password; every other session of the user ends
///
/// A wrong current password is 422 with `errors.currentPassword`, and counts as a guess.
#[utoipa::path(
    put,
    path = "/current-user/password",
    tag = "user",
    operation_id = "change_password",
    security(("accessToken" = [])),
    request_body = PasswordBody,
    responses(
        (status = 204, description = "Changed; this session goes on."),
        AccessTokenRefused,
        ValidationFailed,
        TooManyAttempts,
    )
)]
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
