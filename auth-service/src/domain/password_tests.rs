//! What makes a password acceptable, and that hashing does what it must under load.

use std::sync::Arc;

use futures_util::FutureExt;

use super::*;

fn parse(password: &str) -> Result<NewPassword, String> {
    NewPassword::parse(SecretString::from(password), &["ada", "ada@example.test"])
}

#[test]
fn any_characters_make_a_password_if_there_are_enough() {
    for password in [
        "correct horse battery",
        "π≈3.14159 ou bien",
        "\u{0}zero\u{0}bytes\u{0}",
        "  spaces  around  ",
        "a long sentence that nobody else would think of, with a few commas, 42 numbers, and quite as many characters as are taken here",
    ] {
        assert!(parse(password).is_ok(), "{password:?}");
    }
    // Characters are counted, not bytes.
    assert!(parse("🦊🐻🦉🐢🦀🐙🦜").is_err());
    assert!(parse("🦊🐻🦉🐢🦀🐙🦜🐝").is_ok());
}

#[test]
fn a_common_password_is_refused_with_the_reason() {
    for password in ["password123", "P@ssw0rd", "qwertyui", "12345678", "aaaaaaaa", "wonderful", "trustno1!"] {
        let why = parse(password).err().unwrap_or_default();
        assert!(why.starts_with("is too easy to guess"), "{password}: {why}");
    }
}

#[test]
fn a_password_is_not_the_users_own_name_in_any_case() {
    let about = ["u6d53668d112746799128", "U6D53668d@Example.Test"];
    for password in [about[0], about[1], "U6d53668D112746799128", "u6d53668d@EXAMPLE.test", "u6D53668d"] {
        let refused = NewPassword::parse(SecretString::from(password), &about).err().unwrap_or_default();
        assert!(refused.starts_with("is too easy to guess"), "{password}: {refused}");
    }
    // Of a long name in mixed case the estimate alone would think well.
    let (name, password) = ("qxvmkzwpjtbhrdgnfycslqaxeuioxzvk", "QxVmKzWpJtBhRdGnFyCsLqAxEuIoXzVk");
    assert!(NewPassword::parse(SecretString::from(password), &[name]).is_err());
}

#[test]
fn lengths_outside_eight_to_128_are_refused() {
    assert_eq!(parse("7 chars").err().as_deref(), Some("must be at least 8 characters long"));
    let long: String = ('a'..='z').cycle().take(129).collect();
    assert_eq!(parse(&long).err().as_deref(), Some("must be at most 128 characters long"));
}

#[tokio::test]
async fn only_the_very_password_matches_its_hash() {
    let hasher = PasswordHasher::new(2);
    let hash = hasher.hash("Straße\u{301} 42!".into()).await.unwrap();
    for (password, matches) in
        [("Straße\u{301} 42!", true), ("Straße\u{301} 42! ", false), ("Straßé 42!", false), ("strasse 42!", false)]
    {
        assert_eq!(hasher.verify(password.into(), Some(hash.clone())).await.unwrap(), matches, "{password:?}");
    }
    assert!(!hasher.verify("anything".into(), None).await.unwrap());
}

#[tokio::test]
async fn a_long_password_is_not_cut() {
    let hasher = PasswordHasher::new(2);
    let (long, longer) = ("x".repeat(127), "x".repeat(128));
    let hash = hasher.hash(longer.clone().into()).await.unwrap();
    assert!(hasher.verify(longer.into(), Some(hash.clone())).await.unwrap());
    assert!(!hasher.verify(long.into(), Some(hash)).await.unwrap());
}

#[tokio::test]
async fn hashes_of_other_parameters_are_verified_and_known_to_be_outdated() {
    let hasher = PasswordHasher::new(2);
    let salt = Salt::new(&[7; 16]).unwrap();
    for (algorithm, memory, passes) in [(Algorithm::Argon2id, 8_192, 1), (Algorithm::Argon2i, 19_456, 2)] {
        let params = Params::new(memory, passes, 1, Some(32)).unwrap();
        let mut output = [0; 32];
        let argon2 = Argon2::new(algorithm, Version::V0x13, params.clone());
        argon2.hash_password_into(b"old and good", salt.as_ref(), &mut output).unwrap();
        let hash = PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).unwrap(),
            salt: Some(salt),
            hash: Some(Output::new(&output).unwrap()),
        };
        let hash = SecretString::from(hash.to_string());
        assert!(hasher.verify("old and good".into(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("old and bad".into(), Some(hash.clone())).await.unwrap());
        assert!(PasswordHasher::is_outdated(&hash));
    }
    assert!(!PasswordHasher::is_outdated(&hasher.hash("a new one".into()).await.unwrap()));
}

#[tokio::test]
async fn a_hash_that_cannot_be_read_is_our_failure_and_not_a_wrong_password() {
    let hasher = PasswordHasher::new(2);
    for hash in ["", "plain text", "$argon2id$v=19$m=19456,t=2,p=1$", "$scrypt$ln=1$c2FsdHNhbHQ$c2FsdHNhbHQ"] {
        let verified = hasher.verify("anything".into(), Some(hash.into())).await;
        assert!(matches!(verified, Err(HashingError::Unreadable(_))), "{hash}");
    }
}

#[tokio::test]
async fn beyond_the_queue_callers_are_told_at_once_and_those_before_them_are_served() {
    let hasher = Arc::new(PasswordHasher::new(2));
    let places = QUEUE_PER_PERMIT + 1;
    let outcomes = futures_util::future::join_all((0..places + 20).map(|_| {
        let hasher = hasher.clone();
        async move { hasher.verify("anything".into(), None).await }
    }))
    .await;
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(HashingError::Overloaded))).count();
    assert_eq!((refused, outcomes.iter().filter(|outcome| outcome.is_ok()).count()), (20, places));
    assert_eq!(hasher.taken.load(Ordering::Relaxed), 0);
    assert!(
        hasher.shared.buffers.lock().unwrap().len() <= 2,
        "one for the permit, and one where there was no idle time"
    );
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_place_taken() {
    let hasher = PasswordHasher::new(2);
    let waiting = (0..10).map(|_| Box::pin(hasher.verify("anything".into(), None)));
    let first = futures_util::future::select_all(waiting).await;
    drop(first);
    assert!(!hasher.verify("anything".into(), None).await.unwrap());
    assert_eq!(hasher.taken.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn callers_who_go_away_while_their_password_is_hashed_do_not_make_room_for_more_at_once() {
    let hasher = PasswordHasher::new(2);
    for _ in 0..20 {
        let mut verification = Box::pin(hasher.verify("anything".into(), None));
        assert!(verification.as_mut().now_or_never().is_none());
        drop(verification);
        assert_eq!(hasher.permits.available_permits(), 0, "the first of them is still hashed");
        assert_eq!(hasher.taken.load(Ordering::Relaxed), 1);
    }
    assert!(!hasher.verify("anything".into(), None).await.unwrap());
    assert!(
        hasher.shared.buffers.lock().unwrap().len() <= 2,
        "one for the permit, and one where there was no idle time"
    );
    assert_eq!(hasher.taken.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn those_that_wait_and_those_that_are_worked_on_are_shown_and_timed() {
    let (hasher, metrics) = (PasswordHasher::new(2), Metrics::new("auth-service", "1"));
    hasher.show_in(&metrics);
    let shown = |name: &str| {
        let text = metrics.text().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or_else(|| panic!("no {name} in {text}"), str::to_owned)
    };
    let mut verifications: Vec<_> = (0..3).map(|_| Box::pin(hasher.verify("anything".into(), None))).collect();
    assert!(verifications.iter_mut().all(|verification| verification.as_mut().now_or_never().is_none()));
    assert_eq!(shown("latchkey_password_hash_running"), "1");
    assert_eq!(shown("latchkey_password_hash_waiting"), "2");
    futures_util::future::join_all(verifications).await;
    for (name, value) in
        [("running", "0"), ("waiting", "0"), ("wait_seconds_count", "3"), ("duration_seconds_count", "3")]
    {
        assert_eq!(shown(&format!("latchkey_password_hash_{name}")), value, "{name}");
    }
    let places = (0..=QUEUE_PER_PERMIT + 1).map(|_| hasher.take_place()).collect::<Vec<_>>();
    assert!(places.last().is_some_and(Result::is_err));
    assert_eq!(shown("latchkey_password_hash_refused_total"), "1");
}
