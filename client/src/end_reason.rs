//! Why nobody is signed in any more, in the service's word and in a sentence for the person who was signed out.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Why a session is over: the `reason` of `session_ended`, or else the code with which `/refresh-token` refused. New ones may
/// come, and are [`EndReason::Other`].
///
/// Printed it is a sentence for the user: `your password was changed`. [`EndReason::as_str`] is the word.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum EndReason {
    /// The user signed out on this device.
    SignedOut,
    /// It was ended from the list of devices.
    SignedOutElsewhere,
    /// A login found too many sessions.
    SessionLimit,
    /// A spent refresh token was presented by somebody else.
    ReuseDetected,
    /// The password is another since.
    PasswordChanged,
    /// An operator disabled or deleted the user.
    UserDisabled,
    /// It was older than the service allows.
    Expired,
    /// An operator ended it.
    Admin,
    /// It ended, and the service does not know why any more.
    SessionEnded,
    /// The refresh token was spent before.
    RefreshTokenReused,
    /// It was not refreshed for longer than the refresh token lives.
    RefreshTokenExpired,
    /// The service does not know the refresh token as its own.
    RefreshTokenInvalid,
    /// No refresh token arrived.
    RefreshTokenMissing,
    /// The session belongs to a client with another fingerprint. It stands.
    FingerprintMismatch,
    /// A word that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl EndReason {
    /// The service's word, such as `password_changed`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => known.into(),
        }
    }

    /// True where somebody may have copied the session, so that the user had better change their password.
    pub fn is_alarming(&self) -> bool {
        matches!(self, Self::ReuseDetected | Self::RefreshTokenReused)
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignedOut => "you signed out",
            Self::SignedOutElsewhere => "this session was ended from another device",
            Self::SessionLimit => "your account was signed in on too many devices at once",
            Self::ReuseDetected | Self::RefreshTokenReused => {
                "this session's token was used twice, as happens when somebody has copied it"
            }
            Self::PasswordChanged => "your password was changed",
            Self::UserDisabled => "your account was disabled",
            Self::Expired => "this session had reached its longest allowed life",
            Self::Admin => "an administrator ended this session",
            Self::RefreshTokenExpired => "you had not been here for a long time",
            Self::RefreshTokenInvalid | Self::RefreshTokenMissing => "this sign-in was not recognised any more",
            Self::FingerprintMismatch => "this sign-in belongs to another device",
            Self::SessionEnded | Self::Other(_) => "this session has ended",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_survives_being_text() {
        for (reason, word) in [
            (EndReason::SignedOutElsewhere, "signed_out_elsewhere"),
            (EndReason::RefreshTokenReused, "refresh_token_reused"),
            (EndReason::Other("moved_house".to_owned()), "moved_house"),
        ] {
            assert_eq!(reason.as_str(), word);
            assert_eq!(serde_json::to_value(&reason).unwrap(), word);
            assert_eq!(serde_json::from_value::<EndReason>(word.into()).unwrap(), reason);
        }
    }

    #[test]
    fn an_unknown_word_is_told_as_an_ended_session() {
        assert_eq!(EndReason::Other("moved_house".to_owned()).to_string(), EndReason::SessionEnded.to_string());
    }
}
