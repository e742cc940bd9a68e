//! `POST /login`

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use actix_web::web::{Data, Json};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use service_kit::http::ClientAddress;
use service_kit::problem::JsonBody;
use utoipa::ToSchema;

use super::current_user::UserBody;
use super::openapi::{InvalidCredentials, TooManyAttempts, ValidationFailed};
use crate::domain::device::{DeviceName, Fingerprint};
use crate::domain::login::{self, Login, LoginRequest};
use crate::domain::session::EndedSession;
use crate::domain::tokens::TokenPair;
use crate::error::{FieldErrors, invalid_credentials, too_many_attempts};
use crate::state::State;

/// Who logs in, and from what.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Login)]
pub(super) struct LoginBody {
    /// A username or an e-mail address, in any case.
    #[schema(examples("ada"))]
    username: String,
    /// Verbatim.
    #[schema(value_type = String, format = Password, examples("latchkey-demo-ada"))]
    password: SecretString,
    /// What every refresh has to repeat.
    #[schema(max_length = 512)]
    fingerprint: Option<String>,
    /// What the list of devices shows. Without it the `User-Agent` tells.
    #[schema(max_length = 64, examples("laptop"))]
    device_name: Option<String>,
}

/// A new pair of tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tokens)]
pub(super) struct TokenBody {
    /// For resource services, in `Authorization: Bearer TOKEN`.
    #[schema(examples("eyJ0eXAiOiJhdCtqd3Qi…"))]
    access_token: String,
    /// For `POST /refresh-token`, once.
    #[schema(examples("eyJ0eXAiOiJydCtqd3Qi…"))]
    refresh_token: String,
    #[schema(inline)]
    token_type: TokenType,
    /// Whole seconds that the access token lives from now on.
    #[schema(minimum = 1, examples(900))]
    expires_in: u64,
    /// Whole seconds that the refresh token lives from now on.
    #[schema(minimum = 1, examples(2_592_000))]
    refresh_expires_in: u64,
    #[schema(examples("bd879151-8eb5-4944-9b10-36397de086cc"))]
    session_id: uuid::Uuid,
}

#[derive(Serialize, ToSchema)]
enum TokenType {
    Bearer,
}

/// Who is signed in, and with what.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignedIn)]
pub(super) struct SignedInBody {
    user: UserBody,
    #[serde(flatten)]
    tokens: TokenBody,
    /// The sessions that had to end because there were too many: to be told to the user.
    #[schema(inline)]
    ended_sessions: Vec<EndedSessionBody>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EndedSessionBody {
    id: uuid::Uuid,
    #[schema(examples("Firefox on Linux"))]
    device_name: String,
}

/// Log in: a new session, and the first tokens of it
///
/// An unknown user, a wrong password and a disabled user answer alike, in body and in time.
#[utoipa::path(
    post,
    path = "/login",
    tag = "signing in",
    request_body = LoginBody,
    responses(
        (status = 200, description = "Signed in.", body = SignedInBody, links(
            ("refresh" = (operation_id = "refresh", request_body = json!({ "refreshToken": "$response.body#/refreshToken" }))),
            ("logout" = (operation_id = "logout", request_body = json!({ "refreshToken": "$response.body#/refreshToken" }))),
            ("end" = (operation_id = "end_session", parameters(("id" = "$response.body#/sessionId")))),
        )),
        InvalidCredentials,
        ValidationFailed,
        TooManyAttempts,
    )
)]
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
            ended_sessions: signed_in.ended_sessions.into_iter().map(EndedSessionBody::from).collect(),
        })),
    }
}

impl From<TokenPair> for TokenBody {
    fn from(pair: TokenPair) -> Self {
        Self {
            access_token: pair.access_token.expose_secret().to_owned(),
            refresh_token: pair.refresh_token.expose_secret().to_owned(),
            token_type: TokenType::Bearer,
            expires_in: pair.expires_in,
            refresh_expires_in: pair.refresh_expires_in,
            session_id: pair.session_id,
        }
    }
}

impl From<EndedSession> for EndedSessionBody {
    fn from(ended: EndedSession) -> Self {
        Self { id: ended.id, device_name: ended.device_name }
    }
}
