//! Why a secret, a setting or a token is refused. Every message can be logged and shown: none has any of the secret or
//! the token in it.

/// Why a secret is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It is shorter than 32 bytes.
    #[error("the secret is shorter than 32 bytes; run `auth-service keygen` for a good one")]
    TooShort,
    /// It has a character that cannot stand in a list of secrets, or is likely a slip of the pen.
    #[error(
        "the secret has a comma, white space or a control character in it; run `auth-service keygen` for a good one"
    )]
    ForbiddenCharacter,
    /// It is a published example, so everybody knows it.
    #[error("the secret is a published example, which anybody can look up; run `auth-service keygen` for a good one")]
    Published,
}

/// Why a verifier cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The leeway is more than 60 seconds.
    #[error("the leeway is longer than 60 seconds")]
    LeewayTooLong,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good until its `exp`; all else about it holds.
    #[error("the token has expired")]
    Expired,
    /// It never was a good token here, or is not one yet.
    #[error("{0}")]
    Invalid(InvalidReason),
}

impl From<InvalidReason> for TokenError {
    fn from(reason: InvalidReason) -> Self {
        Self::Invalid(reason)
    }
}

/// What is wrong with a token. Its text suits a log and the `error_description` of RFC 6750 §3: printable ASCII
/// without quotes or backslashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidReason {
    /// More than one `Authorization` header, or one that is not a scheme and one token in ASCII.
    #[error("the Authorization header is malformed")]
    AuthorizationHeader,
    /// More than 8 KiB.
    #[error("the token is too large")]
    TooLarge,
    /// Not three segments (RFC 7515 §7.1), or one is not canonical base64url without padding (§2).
    #[error("the token is not three segments of base64url")]
    Malformed,
    /// The header is not a JSON object of exactly the strings `alg`, `typ` and `kid`.
    #[error("the token header is not exactly alg, typ and kid")]
    Header,
    /// `alg` is not `HS256`.
    #[error("the token is signed with another algorithm")]
    Algorithm,
    /// `typ` is another one: a token of another kind.
    #[error("the token is of another type")]
    TokenType,
    /// `kid` names no accepted secret.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// The signature is not the key's over this header and payload.
    #[error("the signature is wrong")]
    Signature,
    /// The payload is no JSON object, or a claim is missing, of another type, or not of its form.
    #[error("a claim is missing or malformed")]
    Claims,
    /// A member of the payload comes twice, at whatever depth.
    #[error("a claim comes twice")]
    DuplicateMember,
    /// `iss` is not the configured issuer.
    #[error("the token is from another issuer")]
    Issuer,
    /// `aud` does not name this service.
    #[error("the token is for another audience")]
    Audience,
    /// `sub` is not `user.id`.
    #[error("the subject is not the user")]
    Subject,
    /// `exp` is not after `iat`, or is more than 24 hours after it.
    #[error("the lifetime of the token is out of range")]
    Lifetime,
    /// `iat` is more than 60 seconds ahead of the clock.
    #[error("the token is from the future")]
    IssuedInTheFuture,
    /// `nbf` is ahead of the clock.
    #[error("the token is not valid yet")]
    NotYetValid,
}
