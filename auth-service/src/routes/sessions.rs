//! `GET /sessions`, `DELETE /sessions` and `DELETE /sessions/{id}`: the devices that a user is signed in on.

use std::net::IpAddr;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use service_kit::http::ClientAddress;
use service_kit::problem::{PathParams, Problem, QueryParams};
use shared_claims::AccessRefused;
use uuid::Uuid;

use super::current_user::milliseconds;
use super::live_caller::LiveCaller;
use crate::domain::session::{Ending, Session, Which};
use crate::domain::sessions;
use crate::state::State;

/// A session as its user sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionBody {
    id: Uuid,
    device_name: String,
    ip_address: IpAddr,
    #[serde(serialize_with = "milliseconds")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "milliseconds")]
    last_used_at: DateTime<Utc>,
    #[serde(serialize_with = "milliseconds")]
    expires_at: DateTime<Utc>,
    current: bool,
}

#[derive(Deserialize)]
pub(super) struct EndQuery {
    #[serde(default)]
    others: bool,
}

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
