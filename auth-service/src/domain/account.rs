//! What users do to their own accounts: make one, change its password.

use std::net::IpAddr;
use std::time::Duration;

use secrecy::SecretString;
use shared_claims::random;
use uuid::Uuid;

use super::Failure;
use super::password::NewPassword;
use super::session::{Asking, EndReason, Ending};
use super::user::{Email, User, Username};
use crate::audit;
use crate::state::State;
use crate::stores::{Inserted, NewUser};

/// A user to be.
pub struct Registration {
    /// Not taken by another.
    pub username: Username,
    /// Not taken by another.
    pub email: Email,
    /// Acceptable.
    pub password: NewPassword,
    /// Where the request came from.
    pub ip_address: IpAddr,
}

/// What became of a registration.
pub enum Registered {
    /// There is one user more.
    Yes(Box<User>),
    /// Another user has the username, or the address, or both.
    Taken {
        /// The username is taken.
        username: bool,
        /// The e-mail address is taken.
        email: bool,
    },
}

/// Whether somebody at this address may ask for an account now, or how long they must wait. It is counted whatever comes of it,
/// and before anything is looked at: to say whether a password is soon guessed takes work.
pub async fn may_register(state: &State, address: IpAddr) -> Result<Result<(), Duration>, Failure> {
    Ok(state.guard.admit_address(address, state.now()).await?)
}

/// Makes an account, for somebody who may register. One that is given up at its deadline may be there all the same.
pub async fn register(state: &State, registration: Registration) -> Result<Registered, Failure> {
    let Registration { username, email, password, ip_address } = registration;
    let password_hash = state.passwords.hash(password.into_secret()).await?;
    let new = NewUser { id: random::uuid(), username, email, password_hash, created_at: state.now() };
    match state.users.insert(&new).await? {
        Inserted::Taken { username, email } => Ok(Registered::Taken { username, email }),
        Inserted::Yes => {
            audit::registered(new.id, ip_address);
            Ok(Registered::Yes(Box::new(new.into_user())))
        }
    }
}

/// A change of password as it was asked for.
pub struct PasswordChange {
    /// Whose.
    pub user: User,
    /// The session that asks.
    pub session_id: Uuid,
    /// Verbatim.
    pub current_password: SecretString,
    /// Verbatim; whether it is acceptable is told to a live session alone.
    pub new_password: SecretString,
    /// Where the request came from.
    pub ip_address: IpAddr,
}

/// What became of a change of password.
pub enum PasswordChanged {
    /// It is changed, and every other session has ended.
    Yes,
    /// The new password will not do, for this reason. Nothing was counted.
    Unacceptable(String),
    /// The current password is another.
    WrongPassword,
    /// Too many were wrong lately.
    TooManyAttempts(Duration),
    /// The session that asks is not live, or was made with an older password.
    NotLive,
}

/// Changes a password, and ends every other session of its user.
///
/// The database changes first and the sessions after it, in one step that also takes the asking session along. If that
/// step fails the password is put back: a change is refused rather than half done. Should even that fail, the credential
/// versions differ and the sessions end at their next refresh, which is the safe direction.
///
/// There is no deadline for the whole of it, only one for each step: what was begun is brought to its end.
pub async fn change_password(state: &State, change: PasswordChange) -> Result<PasswordChanged, Failure> {
    let PasswordChange { user, session_id, current_password, new_password, ip_address } = change;
    let asking = Asking { session_id, credential_version: user.credential_version };
    if !super::sessions::is_live(state, user.id, asking).await? {
        return Ok(PasswordChanged::NotLive);
    }
    let new_password = match NewPassword::parse(new_password, &[&user.username, &user.email]) {
        Ok(new_password) => new_password,
        Err(why) => return Ok(PasswordChanged::Unacceptable(why)),
    };
    let ticket = match state.guard.admit(Some(user.id), "", ip_address, state.now()).await? {
        Ok(ticket) => ticket,
        Err(wait) => {
            audit::login_failed(Some(user.id), ip_address, "too_many_attempts");
            return Ok(PasswordChanged::TooManyAttempts(wait));
        }
    };
    if !state.passwords.verify(current_password, Some(user.password_hash.clone())).await? {
        audit::login_failed(Some(user.id), ip_address, "wrong_current_password");
        return Ok(PasswordChanged::WrongPassword);
    }
    state.guard.was_right(ticket, user.id, ip_address, state.now()).await;
    let hash = state.passwords.hash(new_password.into_secret()).await?;
    let Some(version) = state.users.set_password(&user, &hash).await? else { return Ok(PasswordChanged::NotLive) };
    let ending = state.sessions.change_credentials(user.id, asking, version, &state.rules, state.now()).await;
    match ending {
        Ok(Ending::Ended(ended)) => {
            audit::password_changed(user.id, session_id, ip_address);
            audit::sessions_ended(user.id, &ended, EndReason::PasswordChanged, Some(ip_address));
            state.counts.sessions_ended.count_many(EndReason::PasswordChanged, ended.len());
            Ok(PasswordChanged::Yes)
        }
        Ok(Ending::AskerNotLive) => {
            state.users.restore_password(&user, version).await?;
            Ok(PasswordChanged::NotLive)
        }
        Err(error) => {
            state.users.restore_password(&user, version).await?;
            Err(error.into())
        }
    }
}
