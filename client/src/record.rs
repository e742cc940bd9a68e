//! What is remembered of a session, and how that survives being text: one JSON value, so that a refresh token and the key that
//! belongs to it are always written and read together. Where it is kept is the storage's business.

use std::time::Duration;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::{EndReason, Error, User, random};

/// Refresh tokens that are kept to end their sessions; more than so many are given up, oldest first.
const MOST_ORDERS: usize = 16;

/// A live session: the pair of tokens, and the key that must accompany the refresh token wherever it is spent.
#[allow(clippy::struct_field_names, reason = "`sessionId` is what the services call it")]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    #[serde(serialize_with = "expose")]
    pub(crate) access_token: SecretString,
    #[serde(serialize_with = "expose")]
    pub(crate) refresh_token: SecretString,
    /// Random, made when this refresh token was received, and never replaced for it.
    #[serde(serialize_with = "expose")]
    pub(crate) idempotency_key: SecretString,
    /// Seconds from the receipt of the access token.
    pub(crate) expires_in: u64,
    pub(crate) session_id: Uuid,
    pub(crate) user: User,
}

/// What a storage holds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Stored {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<Session>,
    /// Why there is no session any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_because: Option<EndReason>,
    /// Refresh tokens of sessions that the user has left and the server has yet to be told of. Used for nothing else.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "expose_all")]
    pub(crate) sign_outs: Vec<SecretString>,
}

/// What a refresh answers, and a login too.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pair {
    access_token: SecretString,
    refresh_token: SecretString,
    expires_in: u64,
    session_id: Uuid,
}

impl Pair {
    /// Refuses what a token answer of ours never holds; nothing of it may be kept.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let is_sound = is_token(&self.access_token) && is_token(&self.refresh_token) && self.expires_in > 0;
        let error =
            || Error::Unreadable { status: StatusCode::OK, what: "it does not hold a pair of tokens".to_owned() };
        is_sound.then_some(self).ok_or_else(error)
    }
}

impl Session {
    /// What is to be kept once this pair has arrived.
    pub(crate) fn begin(pair: Pair, user: User) -> Self {
        let Pair { access_token, refresh_token, expires_in, session_id } = pair;
        let idempotency_key = random::idempotency_key();
        Self { access_token, refresh_token, idempotency_key, expires_in, session_id, user }
    }

    /// How long the access token lives from its receipt.
    pub(crate) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.expires_in)
    }

    pub(crate) fn has_access_token(&self, token: &SecretString) -> bool {
        self.access_token.expose_secret() == token.expose_secret()
    }

    fn is_sound(&self) -> bool {
        let key = self.idempotency_key.expose_secret();
        is_token(&self.access_token)
            && is_token(&self.refresh_token)
            && is_token(&self.idempotency_key)
            && (16..=128).contains(&key.len())
    }
}

impl Stored {
    /// Whatever cannot be read as a session is none: storage can be edited, cut or left by another version.
    pub(crate) fn parse(text: Option<&SecretString>) -> Self {
        let Some(text) = text else { return Self::default() };
        let stored: Self = serde_json::from_str(text.expose_secret()).unwrap_or_else(|_| {
            tracing::warn!("what is stored is no session of this version, and counts as none");
            Self::default()
        });
        if stored.session.as_ref().is_some_and(|session| !session.is_sound()) { Self::default() } else { stored }
    }

    pub(crate) fn text(&self) -> SecretString {
        serde_json::to_string(self).expect("texts and numbers are JSON").into()
    }

    /// The session is over, and the server knows.
    pub(crate) fn end(&mut self, because: EndReason) {
        self.session = None;
        self.ended_because = Some(because);
    }

    /// Leaves the session, if there is one, so that the server has to be told.
    pub(crate) fn leave(&mut self) {
        let Some(session) = self.session.take() else { return };
        self.ended_because = Some(EndReason::SignedOut);
        self.sign_outs.push(session.refresh_token);
        let surplus = self.sign_outs.len().saturating_sub(MOST_ORDERS);
        self.sign_outs.drain(..surplus);
    }

    /// A new session takes the place of whatever there was.
    pub(crate) fn begin(&mut self, session: Session) {
        self.leave();
        self.ended_because = None;
        self.session = Some(session);
    }

    /// The server knows of this one.
    pub(crate) fn drop_sign_out(&mut self, refresh_token: &SecretString) {
        self.sign_outs.retain(|kept| kept.expose_secret() != refresh_token.expose_secret());
    }
}

/// What may stand in a header: visible ASCII, and some.
fn is_token(text: &SecretString) -> bool {
    let text = text.expose_secret();
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

fn expose_all<S: Serializer>(secrets: &[SecretString], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(ExposeSecret::expose_secret))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn pair(number: u32) -> Value {
        json!({
            "accessToken": format!("access-{number}"),
            "refreshToken": format!("refresh-{number}"),
            "tokenType": "Bearer",
            "expiresIn": 900,
            "sessionId": "bd879151-8eb5-4944-9b10-36397de086cc",
        })
    }

    fn session(number: u32) -> Session {
        let pair: Pair = serde_json::from_value(pair(number)).unwrap();
        let user = json!({ "id": Uuid::nil(), "email": "ada@example.test", "username": "ada", "createdAt": "2026-11-23T09:15:00.000Z" });
        Session::begin(pair.checked().unwrap(), serde_json::from_value(user).unwrap())
    }

    fn live(number: u32) -> Stored {
        Stored { session: Some(session(number)), ..Stored::default() }
    }

    #[test]
    fn token_and_key_survive_being_text_together() {
        let before = live(1);
        let after = Stored::parse(Some(&before.text()));
        let [before, after] = [before, after].map(|stored| stored.session.unwrap());
        assert_eq!(after.refresh_token.expose_secret(), "refresh-1");
        assert_eq!(after.idempotency_key.expose_secret(), before.idempotency_key.expose_secret());
    }

    #[test]
    fn each_refresh_token_has_a_key_of_its_own() {
        let [one, other] = [session(1), session(1)];
        assert_ne!(one.idempotency_key.expose_secret(), other.idempotency_key.expose_secret());
    }

    #[test]
    fn nothing_of_it_prints_a_secret() {
        let mut stored = live(1);
        stored.begin(session(2));
        let key = stored.session.as_ref().unwrap().idempotency_key.expose_secret().to_owned();
        let printed = format!("{stored:?} {:?}", serde_json::from_value::<Pair>(pair(3)).unwrap());
        for secret in ["access-", "refresh-", &key] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    #[rstest]
    #[case::nothing("")]
    #[case::cut(r#"{"session":{"accessToken":"a"#)]
    #[case::no_object("7")]
    #[case::no_refresh_token(r#"{"session":{"accessToken":"a"}}"#)]
    fn what_is_no_session_counts_as_none(#[case] text: &str) {
        let stored = Stored::parse(Some(&text.into()));
        assert!(stored.session.is_none() && stored.ended_because.is_none());
    }

    #[rstest]
    #[case("idempotencyKey", 15, false)]
    #[case("idempotencyKey", 16, true)]
    #[case("idempotencyKey", 128, true)]
    #[case("idempotencyKey", 129, false)]
    #[case("accessToken", 0, false)]
    #[case("refreshToken", 0, false)]
    fn a_session_with_a_part_that_cannot_be_counts_as_none(
        #[case] part: &str,
        #[case] length: usize,
        #[case] is_good: bool,
    ) {
        let text = live(1).text();
        let mut value: Value = serde_json::from_str(text.expose_secret()).unwrap();
        value["session"][part] = "k".repeat(length).into();
        let is_taken = |value: &Value| Stored::parse(Some(&value.to_string().into())).session.is_some();
        assert_eq!(is_taken(&value), is_good);
        value["session"][part] = format!("{} ", "k".repeat(32)).into();
        assert!(!is_taken(&value), "what cannot stand in a header");
    }

    #[rstest]
    #[case("accessToken", json!(""))]
    #[case("refreshToken", json!(""))]
    #[case("accessToken", json!("two\nlines"))]
    #[case("expiresIn", json!(0))]
    fn a_pair_that_is_none_is_refused(#[case] member: &str, #[case] value: Value) {
        let mut pair = pair(1);
        pair[member] = value;
        let error = serde_json::from_value::<Pair>(pair).unwrap().checked().unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }));
    }

    #[test]
    fn a_login_in_place_of_a_session_leaves_that_one() {
        let mut stored = live(1);
        stored.begin(session(2));
        assert_eq!(stored.session.as_ref().unwrap().refresh_token.expose_secret(), "refresh-2");
        assert_eq!(stored.sign_outs.iter().map(ExposeSecret::expose_secret).collect::<Vec<_>>(), ["refresh-1"]);
        assert_eq!(stored.ended_because, None);
        stored.drop_sign_out(&"refresh-1".into());
        assert!(stored.sign_outs.is_empty());
    }

    #[test]
    fn the_oldest_order_to_sign_out_is_given_up_first() {
        let mut stored = Stored::default();
        for number in 0..20 {
            stored.begin(session(number));
        }
        stored.leave();
        assert_eq!(stored.sign_outs.len(), MOST_ORDERS);
        assert_eq!(stored.sign_outs[0].expose_secret(), "refresh-4");
        assert_eq!(stored.ended_because, Some(EndReason::SignedOut));
    }

    proptest! {
        #[test]
        fn what_was_damaged_is_no_session_or_a_sound_one(at in any::<prop::sample::Index>(), by in prop_oneof!["", "(?s).", "[ -~]{1,3}"], cuts in any::<bool>()) {
            let text = live(1).text().expose_secret().to_owned();
            let at = at.index(text.len());
            let rest = if cuts { "" } else { &text[at + 1..] };
            let damaged = format!("{}{by}{rest}", &text[..at]);
            if let Some(session) = Stored::parse(Some(&damaged.into())).session {
                prop_assert!(session.is_sound());
                let again = Stored { session: Some(session), ..Stored::default() }.text();
                prop_assert!(Stored::parse(Some(&again)).session.is_some());
            }
        }

        #[test]
        fn no_text_is_taken_for_a_session(text in "(?s).{0,60}") {
            prop_assert!(Stored::parse(Some(&text.into())).session.is_none());
        }
    }
}
