//! Login: who is it, and may they start a session here.

use std::net::IpAddr;
use std::time::Duration;

use secrecy::SecretString;
use shared_claims::{SessionRandom, random};

use super::Failure;
use super::deadline::Deadline;
use super::device::{DeviceName, Fingerprint};
use super::guard::Ticket;
use super::password::PasswordHasher;
use super::session::{EndReason, EndedSession, Session, after};
use super::tokens::{Standing, TokenPair};
use super::user::{User, login_key};
use crate::audit;
use crate::metrics::LoginOutcome;
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
    /// Too many were wrong lately; the next may be tried after this.
    TooManyAttempts(Duration),
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
    let outcome = sign_in(state, request).await;
    state.counts.logins.count(match outcome {
        Ok(Login::SignedIn(_)) => LoginOutcome::SignedIn,
        Ok(Login::WrongCredentials) => LoginOutcome::WrongCredentials,
        Ok(Login::TooManyAttempts(_)) => LoginOutcome::TooManyAttempts,
        Err(_) => LoginOutcome::Unavailable,
    });
    outcome
}

/// A login that is given up at its deadline may leave a session that nobody has the tokens of, as one does whose answer is lost; and
/// its attempt stays counted.
async fn sign_in(state: &State, request: LoginRequest) -> Result<Login, Failure> {
    let deadline = Deadline::of_a_request();
    let (user, ticket) = match deadline.hold(check(state, &request)).await? {
        Ok(checked) => checked,
        Err(declined) => return Ok(declined),
    };
    let signed_in = deadline.hold(start_session(state, &user, &request)).await?;
    let (user_id, address) = (user.id, request.ip_address);
    let settling = async {
        let renewal = renew_hash(state, &user, request.password);
        tokio::join!(state.guard.was_right(ticket, user_id, address, state.now()), renewal);
        Ok(())
    };
    // The session has begun, and nothing of this is needed for it: the next login makes up for what is given up here.
    drop(deadline.hold(settling).await);
    audit::login(user_id, signed_in.tokens.session_id, address);
    audit::sessions_ended(user_id, &signed_in.ended_sessions, EndReason::SessionLimit, Some(address));
    Ok(Login::SignedIn(Box::new(signed_in)))
}

/// Who it is, where the credentials are right; or what the login has come to.
async fn check(state: &State, request: &LoginRequest) -> Result<Result<(User, Ticket), Login>, Failure> {
    let address = request.ip_address;
    let user = state.users.find_by_login(&request.username).await?;
    let user_id = user.as_ref().map(|user| user.id);
    let ticket = match state.guard.admit(user_id, &login_key(&request.username), address, state.now()).await? {
        Ok(ticket) => ticket,
        Err(wait) => {
            audit::login_failed(user_id, address, "too_many_attempts");
            return Ok(Err(Login::TooManyAttempts(wait)));
        }
    };
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let is_right = state.passwords.verify(request.password.clone(), hash).await?;
    match user.filter(|user| is_right && !user.is_disabled) {
        Some(user) => Ok(Ok((user, ticket))),
        None => {
            audit::login_failed(user_id, address, if is_right { "user_disabled" } else { "wrong_credentials" });
            Ok(Err(Login::WrongCredentials))
        }
    }
}

async fn start_session(state: &State, user: &User, request: &LoginRequest) -> Result<SignedIn, Failure> {
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
        fingerprint: request.fingerprint.as_ref().map(|fingerprint| fingerprint.digest(session_id)),
        spent_with: None,
        device_name: request.device_name.0.clone(),
        ip_address: request.ip_address,
    };
    let standing = Standing { session_id, random: session.random, at: session.successor(&state.rules) };
    let ended_sessions = state.sessions.start(user.id, session, &state.rules, now).await?;
    state.counts.sessions_started.inc();
    state.counts.sessions_ended.count_many(EndReason::SessionLimit, ended_sessions.len());
    let tokens = state.mint(user, &standing, now);
    Ok(SignedIn { user: user.clone(), tokens, ended_sessions })
}

/// A hash with older parameters is made anew while its password is at hand. If that fails, the next login tries again.
async fn renew_hash(state: &State, user: &User, password: SecretString) {
    if !PasswordHasher::is_outdated(&user.password_hash) {
        return;
    }
    let renewed = async {
        let hash = state.passwords.hash(password).await?;
        state.users.renew_hash(user, &hash).await?;
        Ok::<(), Failure>(())
    };
    if let Err(error) = renewed.await {
        tracing::warn!(%error, "an outdated password hash could not be renewed");
    }
}
