//! The audit trail: one event for whatever changes who is signed in or who may be, on the log target `latchkey::audit`.
//!
//! An event has ids and an address, and the request's span adds its id. Never a token or a password, nor what was typed
//! as a username: people type passwords there.

use std::net::IpAddr;

use uuid::Uuid;

use crate::domain::session::{EndReason, EndedSession};

/// The log target of all audit events.
pub const TARGET: &str = "latchkey::audit";

/// A session has begun.
pub fn login(user_id: Uuid, session_id: Uuid, address: IpAddr) {
    tracing::info!(target: TARGET, event = "login", %user_id, %session_id, %address);
}

/// A login was refused. `user_id` is whose account it was, if there is one.
pub fn login_failed(user_id: Option<Uuid>, address: IpAddr, cause: &'static str) {
    let user_id = user_id.map(tracing::field::display);
    tracing::info!(target: TARGET, event = "login_failed", user_id, %address, cause);
}

/// A refresh was refused, by the code and the reason that the client was told. The ids, of user and session, are there if
/// the token is one of ours; the reason where it is remembered why the session ended.
pub fn refresh_refused(ours: Option<(Uuid, Uuid)>, address: IpAddr, code: &'static str, reason: Option<EndReason>) {
    let (user_id, session_id) = ours.unzip();
    let (user_id, session_id) = (user_id.map(tracing::field::display), session_id.map(tracing::field::display));
    let reason = reason.map(EndReason::as_str);
    tracing::info!(target: TARGET, event = "refresh_refused", user_id, session_id, %address, code, reason);
}

/// A spent refresh token was presented: somebody has a copy.
pub fn reuse(user_id: Uuid, session_id: Uuid, address: IpAddr) {
    tracing::warn!(target: TARGET, event = "reuse", %user_id, %session_id, %address);
}

/// A session has ended. There is no address where an operator did it.
pub fn session_ended(user_id: Uuid, session_id: Uuid, reason: EndReason, address: Option<IpAddr>) {
    let (reason, address) = (reason.as_str(), address.map(tracing::field::display));
    tracing::info!(target: TARGET, event = "session_ended", %user_id, %session_id, reason, address);
}

/// Each of these sessions has ended.
pub fn sessions_ended(user_id: Uuid, ended: &[EndedSession], reason: EndReason, address: Option<IpAddr>) {
    for session in ended {
        session_ended(user_id, session.id, reason, address);
    }
}

/// A user signed out on their own device.
pub fn logout(user_id: Uuid, session_id: Uuid, address: IpAddr) {
    tracing::info!(target: TARGET, event = "logout", %user_id, %session_id, %address);
}

/// A user has another password, by their own hand.
pub fn password_changed(user_id: Uuid, session_id: Uuid, address: IpAddr) {
    tracing::info!(target: TARGET, event = "password_changed", %user_id, %session_id, %address);
}

/// Somebody made an account for themselves.
pub fn registered(user_id: Uuid, address: IpAddr) {
    tracing::info!(target: TARGET, event = "registered", %user_id, %address);
}

/// An operator changed a user: `added`, `disabled`, `enabled`, `password_set`, `deleted`.
pub fn user_changed(user_id: Uuid, change: &'static str) {
    tracing::info!(target: TARGET, event = "user_changed", %user_id, change);
}
