//! What the list of devices calls a session, and what a client proves its device with.

use uuid::Uuid;
use woothee::parser::{Parser, WootheeResult};

use super::digest::Digest;

/// The longest name of a device, in characters.
const LONGEST_NAME: usize = 64;
/// The longest fingerprint, in characters.
const LONGEST_FINGERPRINT: usize = 512;

/// What a client sends at login and must repeat at each refresh: 1 to 512 characters.
pub struct Fingerprint(String);

impl Fingerprint {
    /// Accepts a fingerprint, or says what is wrong with it. An empty one is none.
    pub fn parse(text: Option<String>) -> Result<Option<Self>, &'static str> {
        match text.filter(|text| !text.is_empty()) {
            Some(text) if text.chars().count() > LONGEST_FINGERPRINT => Err("must be at most 512 characters long"),
            text => Ok(text.map(Self)),
        }
    }

    /// What the session keeps of it.
    pub fn digest(&self, session_id: Uuid) -> Digest {
        Digest::of(session_id, &self.0)
    }
}

/// What the list of devices calls a session: 1 to 64 characters, none of them a control character.
#[derive(Debug, PartialEq, Eq)]
pub struct DeviceName(pub(super) String);

impl DeviceName {
    /// Accepts what the client says, or says what is wrong with it. Where it says nothing, its user agent tells.
    pub fn parse(said: Option<&str>, user_agent: Option<&str>) -> Result<Self, &'static str> {
        let name = said.map(str::trim).unwrap_or_default();
        if name.chars().count() > LONGEST_NAME {
            return Err("must be at most 64 characters long");
        }
        if name.chars().any(char::is_control) {
            return Err("must not have control characters");
        }
        if name.is_empty() {
            Ok(Self::of_user_agent(user_agent.unwrap_or_default()))
        } else {
            Ok(Self(name.to_owned()))
        }
    }

    /// "Firefox on Linux", "curl", or that nothing is known.
    fn of_user_agent(user_agent: &str) -> Self {
        let browser = Parser::new().parse(user_agent).filter(|found| found.category != "misc");
        let name = match browser {
            Some(WootheeResult { name, os, .. }) if name != "UNKNOWN" => match system(os) {
                Some(system) => format!("{name} on {system}"),
                None => name.to_owned(),
            },
            _ => product(user_agent).unwrap_or("Unknown device").to_owned(),
        };
        Self(name)
    }
}

fn system(os: &str) -> Option<&str> {
    match os {
        "UNKNOWN" => None,
        "Mac OSX" => Some("macOS"),
        windows if windows.starts_with("Windows") && !windows.contains("Phone") => Some("Windows"),
        other => Some(other),
    }
}

/// The first product of a user agent (RFC 9110 §10.1.5) that is no browser's: the name of a program.
fn product(user_agent: &str) -> Option<&str> {
    let name = user_agent.split(['/', ' ']).next()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_name = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_plain) && name != "Mozilla";
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(said: Option<&str>, user_agent: &str) -> Result<String, &'static str> {
        DeviceName::parse(said, Some(user_agent)).map(|name| name.0)
    }

    #[test]
    fn a_user_agent_tells_the_browser_and_the_system() {
        for (user_agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
                 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Safari/605.1.15",
                "Safari on macOS",
            ),
            ("curl/8.5.0", "curl"),
            ("python-requests/2.32", "python-requests"),
            ("", "Unknown device"),
            ("Mozilla/5.0", "Unknown device"),
            ("<script>/1", "Unknown device"),
        ] {
            assert_eq!(name(None, user_agent).as_deref(), Ok(expected), "{user_agent}");
        }
    }

    #[test]
    fn what_the_client_says_wins_if_it_can_be_shown() {
        assert_eq!(name(Some("  Ada's loom 🧵 "), "curl/8").as_deref(), Ok("Ada's loom 🧵"));
        assert_eq!(name(Some(" "), "curl/8").as_deref(), Ok("curl"));
        assert!(name(Some(&"x".repeat(65)), "").is_err());
        assert!(name(Some("a\u{1b}[2J"), "").is_err());
    }

    #[test]
    fn names_and_fingerprints_may_be_as_long_as_is_said_and_no_longer() {
        let longest = "ä".repeat(64);
        assert_eq!(name(Some(&longest), "").as_deref(), Ok(longest.as_str()));
        assert!(name(Some(&"ä".repeat(65)), "").is_err());
        assert_eq!(name(None, &format!("{}/1", "x".repeat(64))).as_deref(), Ok("x".repeat(64).as_str()));
        assert_eq!(name(None, &format!("{}/1", "x".repeat(65))).as_deref(), Ok("Unknown device"));
        assert!(Fingerprint::parse(Some("ä".repeat(512))).is_ok_and(|fingerprint| fingerprint.is_some()));
        assert!(Fingerprint::parse(Some("ä".repeat(513))).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_said_a_name_can_be_shown_in_a_list(
            said in proptest::option::of("(?s).{0,80}"),
            user_agent in prop_oneof![
                "(?s).{0,100}",
                "Mozilla/5\\.0 \\([A-Za-z0-9 ;._]{0,60}\\) [A-Za-z]{0,90}/[0-9.]{0,9} (Firefox|Chrome|Safari|Edg)/[0-9.]{0,9}",
            ],
        ) {
            if let Ok(DeviceName(name)) = DeviceName::parse(said.as_deref(), Some(&user_agent)) {
                prop_assert!((1..=64).contains(&name.chars().count()), "{:?}", name);
                prop_assert!(!name.chars().any(char::is_control), "{:?}", name);
                let said = said.as_deref().map(str::trim).unwrap_or_default();
                prop_assert!(said.is_empty() || said == name);
            }
        }

        #[test]
        fn a_fingerprint_of_up_to_512_characters_is_taken_as_it_is(text in "(?s).{0,20}", times in 0..60_usize) {
            let text = text.repeat(times);
            match Fingerprint::parse(Some(text.clone())) {
                Ok(None) => prop_assert!(text.is_empty()),
                Ok(Some(fingerprint)) => prop_assert!(fingerprint.0 == text && text.chars().count() <= 512),
                Err(_) => prop_assert!(text.chars().count() > 512),
            }
        }
    }
}
