//! Signing in and out. What the server takes is told by it; what is kept of it is the keeper's.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::record::{Pair, Session};
use crate::{Client, EndedSession, Error, ErrorCode, Login, SessionState, SignedIn, User, call};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginAnswer {
    #[serde(flatten)]
    pair: Pair,
    user: User,
    #[serde(default)]
    ended_sessions: Vec<EndedSession>,
}

impl Client {
    /// `POST /login`: begins a session and keeps it. One that was there before is left, and ended at the server as well.
    ///
    /// Refused with `invalid_credentials` for an unknown user, a wrong password and a disabled user alike; with
    /// `too_many_attempts` after too many wrong ones.
    pub async fn login(&self, login: &Login) -> Result<SignedIn, Error> {
        let sent_at = Instant::now();
        let request = self.plain().post(self.services.auth.at(["login"])).json(&self.login_body(login));
        let LoginAnswer { pair, user, ended_sessions } = call::read(request).await?;
        let session = Session::begin(pair.checked()?, user.clone());
        let session_id = session.session_id;

        if let Err(error) = self.keep(&session).await {
            // Nobody will ever refresh it, so it shall not count as one of the user's.
            drop(self.end_at_server(&session.refresh_token).await);
            return Err(error);
        }
        self.refresher.keeper.received(&session, sent_at);
        if let Err(error) = self.send_sign_outs().await {
            tracing::warn!(%error, "an earlier session could not be ended yet");
        }
        Ok(SignedIn { user, session_id, ended_sessions })
    }

    /// Whether somebody is signed in, by what is stored; the server is not asked.
    pub async fn session(&self) -> Result<SessionState, Error> {
        let stored = self.refresher.keeper.read().await?;
        Ok(match stored.session {
            Some(Session { user, session_id, .. }) => SessionState::SignedIn { user, session_id },
            None => SessionState::SignedOut { because: stored.ended_because },
        })
    }

    /// `POST /logout`: throws the tokens away, at once and for every process that shares them, and ends the session at the server.
    ///
    /// An error means that the server could not be told. The user is signed out here all the same; the order is kept, and sent with
    /// the next login or when this is called again.
    pub async fn logout(&self) -> Result<(), Error> {
        let mut held = self.refresher.keeper.hold().await?;
        if held.stored.session.is_some() {
            held.stored.leave();
            held.store().await?;
        } else {
            drop(held);
        }
        self.send_sign_outs().await
    }

    /// Forgets the session if it is this one; the server has ended it.
    pub(crate) async fn forget(&self, is_ended: impl FnOnce(&Session) -> bool) -> Result<(), Error> {
        let mut held = self.refresher.keeper.hold().await?;
        if held.stored.session.as_ref().is_some_and(is_ended) {
            held.stored.end(crate::EndReason::SignedOut);
            held.store().await?;
        }
        Ok(())
    }

    fn login_body(&self, login: &Login) -> Value {
        let mut body = json!({ "username": login.username, "password": login.password.expose_secret() });
        if let Some(name) = &login.device_name {
            body["deviceName"] = name.as_str().into();
        }
        if let Some(fingerprint) = &self.refresher.exchange.fingerprint {
            body["fingerprint"] = fingerprint.expose_secret().into();
        }
        body
    }

    async fn keep(&self, session: &Session) -> Result<(), Error> {
        let mut held = self.refresher.keeper.hold().await?;
        held.stored.begin(session.clone());
        held.store().await
    }

    async fn send_sign_outs(&self) -> Result<(), Error> {
        for refresh_token in self.refresher.keeper.read().await?.sign_outs {
            self.end_at_server(&refresh_token).await?;
            let mut held = self.refresher.keeper.hold().await?;
            held.stored.drop_sign_out(&refresh_token);
            held.store().await?;
        }
        Ok(())
    }

    async fn end_at_server(&self, refresh_token: &SecretString) -> Result<(), Error> {
        let body = json!({ "refreshToken": refresh_token.expose_secret() });
        let request = self.plain().post(self.services.auth.at(["logout"])).json(&body);
        match call::send(request).await {
            // Our own service calls the order malformed: it will never take it, and there is no session behind it.
            Err(error) if error.code() == Some(&ErrorCode::BadRequest) => Ok(()),
            end => end.map(drop),
        }
    }
}
