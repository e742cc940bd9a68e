//! `GET /sessions`, `DELETE /sessions` and `DELETE /sessions/{id}`: the devices that a user is signed in on.

use std::net::IpAddr;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use service_kit::http::ClientAddress;
use service_kit::problem::{PathParams, Problem, QueryParams};
use shared_claims::AccessRefused;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::current_user::milliseconds;
use super::live_caller::LiveCaller;
use super::openapi::{AccessTokenRefused, NotFound};
use crate::domain::session::{Ending, Session, Which};
use crate::domain::sessions;
use crate::state::State;

/// A session as its user sees it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(super) struct SessionBody {
    id: Uuid,
    #[schema(examples("laptop"))]
    device_name: String,
    /// Where the last refresh came from, or the login.
    #[schema(value_type = String, examples("203.0.113.7"))]
    ip_address: IpAddr,
    #[serde(serialize_with = "milliseconds")]
    created_at: DateTime<Utc>,
    /// The time of the last refresh, or of the login.
    #[serde(serialize_with = "milliseconds")]
    last_used_at: DateTime<Utc>,
    /// When it ends unless it is refreshed.
    #[serde(serialize_with = "milliseconds")]
    expires_at: DateTime<Utc>,
    /// Whether it is that of the access token.
    current: bool,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EndQuery {
    /// Whether to keep the session of the access token.
    #[serde(default)]
    others: bool,
}

/// The caller's live sessions, last used first
#[utoipa::path(
    get,
    path = "/sessions",
    tag = "sessions",
    operation_id = "list_sessions",
    security(("accessToken" = [])),
    responses((status = 200, description = "The sessions.", body = Vec<SessionBody>), AccessTokenRefused)
)]
pub(super) async fn list(state: Data<State>, caller: LiveCaller) -> actix_web::Result<Json<Vec<SessionBody>>> {
    let listing = sessions::list(&state, caller.user.id, caller.asking());
    let live = caller.deadline.hold(listing).await?.ok_or(AccessRefused::Revoked)?;
    Ok(Json(live.into_iter().map(|session| body(session, caller.session_id)).collect()))
}

fn body(session: Session, current: Uuid) -> SessionBody {
    SessionBody {
        id: session.id,
        device_name: session.device_name,
        ip_address: session.ip_address,
        created_at: session.created_at,
        last_used_at: session.rotated_at,
        expires_at: session.expires_at,
        current: session.id == current,
    }
}

/// End one session of the caller's
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    tag = "sessions",
    operation_id = "end_session",
    security(("accessToken" = [])),
    params(("id" = Uuid, Path, description = "The session.")),
    responses((status = 204, description = "It has ended."), AccessTokenRefused, NotFound)
)]
pub(super) async fn end_one(
    state: Data<State>,
    caller: LiveCaller,
    address: ClientAddress,
    id: PathParams<Uuid>,
) -> actix_web::Result<HttpResponse> {
    let ending = sessions::end(&state, caller.user.id, Which::One(id.0), caller.asking(), address.0);
    match caller.deadline.hold(ending).await? {
        Ending::AskerNotLive => Err(AccessRefused::Revoked.into()),
        Ending::Ended(ended) if ended.is_empty() => Err(Problem::not_found().into()),
        Ending::Ended(_) => Ok(HttpResponse::NoContent().finish()),
    }
}

/// End the caller's sessions
#[utoipa::path(
    delete,
    path = "/sessions",
    tag = "sessions",
    operation_id = "end_sessions",
    security(("accessToken" = [])),
    params(EndQuery),
    responses((status = 204, description = "They have ended."), AccessTokenRefused)
)]
pub(super) async fn end_all(
    state: Data<State>,
    caller: LiveCaller,
    address: ClientAddress,
    query: QueryParams<EndQuery>,
) -> actix_web::Result<HttpResponse> {
    let which = if query.0.others { Which::AllBut(caller.session_id) } else { Which::All };
    let ending = sessions::end(&state, caller.user.id, which, caller.asking(), address.0);
    match caller.deadline.hold(ending).await? {
        Ending::AskerNotLive => Err(AccessRefused::Revoked.into()),
        Ending::Ended(_) => Ok(HttpResponse::NoContent().finish()),
    }
}
