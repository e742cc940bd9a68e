//! The user's own account and the devices they are signed in on: calls of auth-service, one method each.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::{Client, Device, Error, User, call};

impl Client {
    /// `POST /register`, where the operator has enabled it. It does not sign in.
    ///
    /// Refused with `registration_disabled`, with `already_taken` or with `validation_failed`; the last two name fields.
    pub async fn register(&self, username: &str, email: &str, password: &SecretString) -> Result<User, Error> {
        let body = json!({ "username": username, "email": email, "password": password.expose_secret() });
        call::read(self.plain().post(self.services.auth.at(["register"])).json(&body)).await
    }

    /// `GET /current-user`: the user as the database has them now.
    pub async fn current_user(&self) -> Result<User, Error> {
        call::read(self.http().get(self.services.auth.at(["current-user"]))).await
    }

    /// `PUT /current-user/password`. Every other session of the user ends; this one goes on.
    ///
    /// Refused with `validation_failed`, and in `errors` `currentPassword` if it is wrong, `newPassword` if it is no good one.
    pub async fn change_password(&self, current: &SecretString, new: &SecretString) -> Result<(), Error> {
        let body = json!({ "currentPassword": current.expose_secret(), "newPassword": new.expose_secret() });
        let url = self.services.auth.at(["current-user", "password"]);
        call::send(self.http().put(url).json(&body)).await.map(drop)
    }

    /// `GET /sessions`: where the user is signed in, last used first.
    pub async fn devices(&self) -> Result<Vec<Device>, Error> {
        call::read(self.http().get(self.services.auth.at(["sessions"]))).await
    }

    /// `DELETE /sessions/{id}`: signs one device out. `not_found` if it is no live one of the user's. If it is this one, the tokens
    /// here are thrown away.
    pub async fn end_session(&self, id: Uuid) -> Result<(), Error> {
        call::send(self.http().delete(self.services.auth.at(["sessions", &id.to_string()]))).await?;
        self.forget(|session| session.session_id == id).await
    }

    /// `DELETE /sessions?others=true`: signs every other device out.
    pub async fn end_other_sessions(&self) -> Result<(), Error> {
        let mut url = self.services.auth.at(["sessions"]);
        url.set_query(Some("others=true"));
        call::send(self.http().delete(url)).await.map(drop)
    }

    /// `DELETE /sessions`: signs every device out, this one too.
    pub async fn end_all_sessions(&self) -> Result<(), Error> {
        let ended = self.refresher.keeper.session().await?.session_id;
        call::send(self.http().delete(self.services.auth.at(["sessions"]))).await?;
        self.forget(|session| session.session_id == ended).await
    }
}
