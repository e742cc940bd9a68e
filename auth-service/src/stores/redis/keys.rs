//! The names of the keys in Redis, each kind with a prefix of its own. What braces hold decides a key's place in a cluster.

use uuid::Uuid;

use crate::domain::attempts::Bucket;

/// The hash with all sessions of one user.
pub(super) fn sessions(user_id: Uuid) -> String {
    format!("latchkey:{{{user_id}}}:sessions")
}

/// A key that exists for no longer than a script runs, in the place of that user's sessions.
pub(super) fn mark(user_id: Uuid) -> String {
    format!("latchkey:{{{user_id}}}:mark")
}

/// The attempts to guess in one bucket.
pub(super) fn attempts(Bucket(bucket): Bucket) -> String {
    format!("latchkey:attempts:{{{:032x}}}", u128::from_be_bytes(bucket))
}

/// A key that never exists, for asking whether it could be written. Each number is another place in a cluster.
pub(super) fn check(number: usize) -> String {
    format!("latchkey:check:{{{number}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_sessions_are_placed_by_the_user_alone() {
        let user_id = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0001);
        assert_eq!(sessions(user_id), "latchkey:{10000000-0000-4000-8000-000000000001}:sessions");
    }
}
