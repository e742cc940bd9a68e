//! `GET /current-user`

use actix_web::web::Json;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use super::live_caller::LiveCaller;
use super::openapi::AccessTokenRefused;
use crate::domain::user::User;

/// A user as clients see them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub(super) struct UserBody {
    #[schema(examples("10000000-0000-4000-8000-000000000001"))]
    id: Uuid,
    #[schema(examples("ada@example.test"))]
    email: String,
    #[schema(examples("ada"))]
    username: String,
    #[serde(serialize_with = "milliseconds")]
    #[schema(examples("2026-11-23T09:15:00.000Z"))]
    created_at: DateTime<Utc>,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self { id: user.id, email: user.email, username: user.username, created_at: user.created_at }
    }
}

/// RFC 3339, UTC, always with milliseconds.
pub(super) fn milliseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// The caller, as the database has them now
#[utoipa::path(
    get,
    path = "/current-user",
    tag = "user",
    security(("accessToken" = [])),
    responses((status = 200, description = "The user.", body = UserBody), AccessTokenRefused)
)]
pub(super) async fn current_user(caller: LiveCaller) -> Json<UserBody> {
    Json(UserBody::from(caller.user))
}
