//! `POST /login`

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use actix_web::web::{Data, Json};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use service_kit::http::ClientAddress;
use service_kit::problem::JsonBody;

use super::current_user::UserBody;
use crate::domain::device::{DeviceName, Fingerprint};
use crate::domain::login::{self, Login, LoginRequest};
use crate::domain::session::EndedSession;
use crate::domain::tokens::TokenPair;
use crate::error::{FieldErrors, invalid_credentials, too_many_attempts};
use crate::state::State;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoginBody {
    username: String,
    password: SecretString,
    fingerprint: Option<String>,
    device_name: Option<String>,
}

/// What a refresh answers, and a login too.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenBody {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_expires_in: u64,
    session_id: uuid::Uuid,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedInBody {
    user: UserBody,
    #[serde(flatten)]
    tokens: TokenBody,
    ended_sessions: Vec<EndedSession>,
}

pub(super) async fn login(
    state: Data<State>,
    address: ClientAddress,
    request: HttpRequest,
    body: JsonBody<LoginBody>,
) -> actix_web::Result<Json<SignedInBody>> {
    let JsonBody(body) = body;
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    let mut errors = FieldErrors::default();
    let fingerprint = errors.check("fingerprint", Fingerprint::parse(body.fingerprint));
    let device_name = errors.check("deviceName", DeviceName::parse(body.device_name.as_deref(), user_agent));
    let (Some(fingerprint), Some(device_name)) = (fingerprint, device_name) else {
        return Err(errors.into_problem().into());
    };
    let request = LoginRequest {
        username: body.username,
        password: body.password,
        fingerprint,
        device_name,
        ip_address: address.0,
    };
    match login::login(&state, request).await? {
        Login::WrongCredentials => Err(invalid_credentials().into()),
        Login::TooManyAttempts(wait) => Err(too_many_attempts(wait).into()),
        Login::SignedIn(signed_in) => Ok(Json(SignedInBody {
            user: UserBody::from(signed_in.user),
            tokens: TokenBody::from(signed_in.tokens),
            ended_sessions: signed_in.ended_sessions,
        })),
    }
}

impl From<TokenPair> for TokenBody {
    fn from(pair: TokenPair) -> Self {
        Self {
            access_token: pair.access_token.expose_secret().to_owned(),
            refresh_token: pair.refresh_token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: pair.expires_in,
            refresh_expires_in: pair.refresh_expires_in,
            session_id: pair.session_id,
        }
    }
}
