//! A user, and the names that users may have.

use chrono::{DateTime, Utc};
use email_address::{EmailAddress, Options};
use secrecy::SecretString;
use shared_claims::UserClaims;
use uuid::Uuid;

/// A user as the database knows them.
#[derive(Debug, Clone)]
pub struct User {
    /// The `sub` of their tokens.
    pub id: Uuid,
    /// Lower case.
    pub username: String,
    /// As it was given.
    pub email: String,
    /// A PHC string.
    pub password_hash: SecretString,
    /// Grows with each change after which older sessions must not live on.
    pub credential_version: i64,
    /// May neither log in nor refresh.
    pub is_disabled: bool,
    /// To the millisecond.
    pub created_at: DateTime<Utc>,
}

impl User {
    /// What an access token says of them.
    pub fn claims(&self) -> UserClaims {
        UserClaims { id: self.id, email: self.email.clone(), username: self.username.clone() }
    }
}

/// A username: 3 to 32 of `a-z 0-9 . _ -`. Upper case is taken as lower case; there is never an `@` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Accepts a username, or says for its user what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let name = text.to_ascii_lowercase();
        if !(3..=32).contains(&name.len()) {
            return Err("must be 3 to 32 characters long");
        }
        if !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-')) {
            return Err("may have letters a to z, digits, and . _ - only");
        }
        Ok(Self(name))
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The longest e-mail address, in bytes: a path of 256 without its brackets (RFC 5321 §4.5.3.1.3).
const LONGEST_ADDRESS: usize = 254;

/// An e-mail address, kept as it was given and compared without case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Accepts an address by RFC 5321 (254 characters at most, no quoted or bracketed forms), or says what is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        match EmailAddress::parse_with_options(text, options) {
            // The library bounds each part, not the whole.
            Ok(address) if text.len() <= LONGEST_ADDRESS && !address.local_part().starts_with('"') => {
                Ok(Self(text.to_owned()))
            }
            _ => Err("must be an e-mail address such as name@example.org"),
        }
    }

    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as it is compared.
    pub fn key(&self) -> String {
        login_key(&self.0)
    }
}

/// What a person types to log in, as it is looked up: a username or an e-mail address, without case.
pub fn login_key(typed: &str) -> String {
    typed.to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usernames_are_compared_without_case() {
        assert_eq!(Username::parse("Ada.L-1_x").unwrap().as_str(), "ada.l-1_x");
    }

    #[test]
    fn names_that_could_be_mistaken_are_refused() {
        for name in ["", "ab", "ada@example.test", "ada lovelace", "ädä", "a\u{0}b", &"a".repeat(33)] {
            assert!(Username::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_username_has_3_to_32_characters() {
        for (length, is_good) in [(2, false), (3, true), (32, true), (33, false)] {
            assert_eq!(Username::parse(&"a".repeat(length)).is_ok(), is_good, "{length}");
        }
    }

    #[test]
    fn addresses_keep_their_case_and_compare_without_it() {
        let email = Email::parse("Ada@Example.Test").unwrap();
        assert_eq!((email.as_str(), email.key().as_str()), ("Ada@Example.Test", "ada@example.test"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ada",
            "ada@",
            "@example.test",
            "ada@localhost",
            "a b@example.test",
            "ada@[127.0.0.1]",
            "Ada <ada@example.test>",
            "\"a b\"@example.test",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_has_254_bytes_at_most() {
        let label = "a".repeat(61);
        let domain = [label.as_str(); 3].join(".");
        for (end, length, is_good) in [("bcd", 254, true), ("bcde", 255, false)] {
            let text = format!("{}@{domain}.{end}", "a".repeat(64));
            assert_eq!((text.len(), Email::parse(&text).is_ok()), (length, is_good));
        }
    }

    proptest! {
        #[test]
        fn a_username_is_found_by_whatever_case_it_is_typed_in(text in prop_oneof!["[a-zA-Z0-9._@ -]{0,40}", "(?s).{0,40}"]) {
            if let Ok(name) = Username::parse(&text) {
                let name = name.as_str();
                prop_assert!((3..=32).contains(&name.len()) && !name.contains('@'));
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)));
                prop_assert_eq!(login_key(&text), name);
            }
        }

        #[test]
        fn an_address_is_kept_as_it_is_and_found_in_any_case(
            text in prop_oneof!["[a-zA-Z0-9.+_-]{1,70}@([a-z0-9-]{1,66}\\.){1,5}[a-z]{2,10}", "(?s).{0,20}@?.{0,20}"],
        ) {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(email.as_str(), &text);
                prop_assert!(text.len() <= 254 && text.contains('@'), "{}", text);
                prop_assert_eq!(login_key(&email.key()), email.key());
                prop_assert!(!text.is_ascii() || login_key(&text.to_ascii_uppercase()) == email.key());
                prop_assert!(Username::parse(&text).is_err());
            }
        }
    }
}
