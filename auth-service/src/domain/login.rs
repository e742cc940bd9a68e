//! Login: who is it, and may they start a session here.

use std::net::IpAddr;

use secrecy::SecretString;
use shared_claims::{SessionRandom, random};
use uuid::Uuid;

use super::Failure;
use super::digest::Digest;
use super::session::{EndedSession, Session, after};
use super::tokens::{Standing, TokenPair};
use super::user::User;
use crate::state::State;

/// A login as it was asked for.
pub struct LoginRequest {
    /// A username or an e-mail address.
    pub username: String,
    /// Verbatim.
    pub password: SecretString,
    /// What every refresh must repeat.
    pub fingerprint: Option<Fingerprint>,
    /// What the list of devices shall say.
    pub device_name: DeviceName,
    /// Where the request came from.
    pub ip_address: IpAddr,
}

/// What became of a login.
pub enum Login {
    /// The session has begun.
    SignedIn(Box<SignedIn>),
    /// Unknown user, wrong password or disabled user: nobody outside can tell which.
    WrongCredentials,
}

/// A session that has just begun.
pub struct SignedIn {
    /// Whose it is.
    pub user: User,
    /// Its first tokens.
    pub tokens: TokenPair,
    /// What had to end for it.
    pub ended_sessions: Vec<EndedSession>,
}

/// Checks the credentials and starts a session.
pub async fn login(state: &State, request: LoginRequest) -> Result<Login, Failure> {
    let user = state.users.find_by_login(&request.username).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let is_right = state.passwords.verify(request.password, hash).await?;
    let Some(user) = user.filter(|user| is_right && !user.is_disabled) else {
        return Ok(Login::WrongCredentials);
    };
    let now = state.now();
    let session_id = random::uuid();
    let session = Session {
        id: session_id,
        random: SessionRandom::generate(),
        generation: 0,
        credential_version: user.credential_version,
        created_at: now,
        rotated_at: now,
        expires_at: after(now, state.rules.refresh_ttl),
        fingerprint: request.fingerprint.map(|fingerprint| fingerprint.digest(session_id)),
        spent_with: None,
        device_name: request.device_name.0,
        ip_address: request.ip_address,
    };
    let standing = Standing { session_id, random: session.random, at: session.successor(&state.rules) };
    let ended_sessions = state.sessions.start(user.id, session, &state.rules, now).await?;
    let tokens = state.mint(&user, &standing, now);
    Ok(Login::SignedIn(Box::new(SignedIn { user, tokens, ended_sessions })))
}

/// What a client sends at login and must repeat at each refresh: 1 to 512 characters.
pub struct Fingerprint(String);

impl Fingerprint {
    /// Accepts a fingerprint, or says what is wrong with it. An empty one is none.
    pub fn parse(text: Option<String>) -> Result<Option<Self>, &'static str> {
        match text.filter(|text| !text.is_empty()) {
            Some(text) if text.chars().count() > 512 => Err("must be at most 512 characters long"),
            text => Ok(text.map(Self)),
        }
    }

    /// What the session keeps of it.
    pub fn digest(&self, session_id: Uuid) -> Digest {
        Digest::of(session_id, &self.0)
    }
}

/// What the list of devices calls a session: 1 to 64 characters, none of them a control character.
pub struct DeviceName(String);

impl DeviceName {
    const UNKNOWN: &'static str = "Unknown device";

    /// Accepts what the client says, or says what is wrong with it. Where it says nothing the device is unknown.
    pub fn parse(said: Option<&str>) -> Result<Self, &'static str> {
        let name = said.map(str::trim).unwrap_or_default();
        if name.chars().count() > 64 {
            return Err("must be at most 64 characters long");
        }
        if name.chars().any(char::is_control) {
            return Err("must not have control characters");
        }
        Ok(Self(if name.is_empty() { Self::UNKNOWN } else { name }.to_owned()))
    }
}
