//! What an error of the Redis client means: what the caller learns, and whether the connection that it came by still serves.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::stores::StoreError;

/// Longest text of Redis's own that is worth a place in the log, in characters.
const QUOTED: usize = 200;

/// Redis answered that nothing was done here, and that another server, or this one in a moment, is the right one to ask.
pub(super) fn is_elsewhere(error: &RedisError) -> bool {
    ["READONLY", "MASTERDOWN", "LOADING"].iter().any(|code| says(error, code))
}

/// The connection is gone, or what comes over it makes no sense any more.
pub(super) fn breaks_connection(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension => is_elsewhere(error) || says(error, "NOAUTH"),
        _ => true,
    }
}

/// The user that we log in as lacks a right, so nothing has run.
pub(super) fn is_forbidden(error: &RedisError) -> bool {
    says(error, "NOPERM")
}

/// The script is not known to this server, so nothing has run.
pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        if says(&error, "UNREADABLE") || says(&error, "WRONGTYPE") {
            return Self::Unreadable(describe(&error));
        }
        match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Refused(describe(&error)),
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Self::Unreadable(describe(&error)),
            _ if error.is_timeout() => Self::TimedOut,
            _ => Self::Lost(describe(&error)),
        }
    }
}

/// Redis before 7 wraps an error that a script met into a text of its own, so the code may stand anywhere in it.
fn says(error: &RedisError, code: &str) -> bool {
    error.code() == Some(code)
        || error
            .detail()
            .is_some_and(|detail| detail.split([' ', ':']).any(|word| word.trim_start_matches('-') == code))
}

/// An error for the log. A command that Redis does not know is quoted back with its arguments, which may be secrets.
pub(super) fn describe(error: &RedisError) -> String {
    let text = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => error.to_string(),
    };
    let text = text.split(", with args beginning with").next().unwrap_or_default();
    text.chars().take(QUOTED).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(line: &str) -> RedisError {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap().extract_error().unwrap_err()
    }

    #[test]
    fn a_refusal_keeps_its_words_and_its_connection() {
        let error = answered("OOM command not allowed when used memory > 'maxmemory'.");
        assert!(!breaks_connection(&error));
        let told = StoreError::from(error);
        assert!(matches!(&told, StoreError::Refused(text) if text.starts_with("OOM command")), "{told:?}");
    }

    #[test]
    fn a_demoted_server_is_recognised_in_the_words_of_each_version() {
        for line in [
            "READONLY You can't write against a read only replica.",
            "ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -READONLY You can't write.",
            "LOADING Redis is loading the dataset in memory",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        ] {
            assert!(is_elsewhere(&answered(line)) && breaks_connection(&answered(line)), "{line}");
        }
    }

    #[test]
    fn data_that_cannot_be_read_is_told_from_an_outage() {
        for line in [
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "ERR UNREADABLE session script: 0, on @user_script:9.",
            "ERR Error running script (call to f_0): @user_script:1: UNREADABLE session",
        ] {
            assert!(matches!(StoreError::from(answered(line)), StoreError::Unreadable(_)), "{line}");
        }
    }

    #[test]
    fn arguments_that_redis_quotes_are_not_passed_on() {
        let error = answered("ERR unknown command 'EVALSHA', with args beginning with: 'abc' 'secret'");
        assert_eq!(StoreError::from(error).to_string(), "Redis refused: ERR unknown command 'EVALSHA'");
    }
}
