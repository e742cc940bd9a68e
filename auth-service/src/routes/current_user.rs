//! `GET /current-user`

use actix_web::web::Json;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::live_caller::LiveCaller;
use crate::domain::user::User;

/// A user as clients see them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserBody {
    id: Uuid,
    email: String,
    username: String,
    #[serde(serialize_with = "milliseconds")]
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

pub(super) async fn current_user(caller: LiveCaller) -> Json<UserBody> {
    Json(UserBody::from(caller.user))
}
