use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

/// The end of chrono's time, in milliseconds.
const END_OF_TIME: i64 = 8_210_266_876_799_999;

fn session() -> impl Strategy<Value = Session> {
    let time = || (0..=END_OF_TIME).prop_map(|time| DateTime::from_timestamp_millis(time).unwrap());
    let digest = || prop::option::of(any::<[u8; 16]>().prop_map(Digest));
    let ids = (any::<[u8; 16]>().prop_map(Uuid::from_bytes), any::<[u8; 16]>().prop_map(SessionRandom));
    let numbers = (0..(1_u64 << 53), any::<i64>());
    let times = (time(), time(), time());
    (ids, numbers, times, digest(), digest(), "\\PC{0,64}", any::<IpAddr>()).prop_map(
        |((id, random), (generation, credential_version), times, fingerprint, spent_with, device_name, ip_address)| {
            let (created_at, rotated_at, expires_at) = times;
            Session {
                id,
                random,
                generation,
                credential_version,
                created_at,
                rotated_at,
                expires_at,
                fingerprint,
                spent_with,
                device_name,
                ip_address,
            }
        },
    )
}

#[test]
fn no_session_is_longer_than_the_longest() {
    let session = Session {
        id: Uuid::nil(),
        random: SessionRandom([7; 16]),
        generation: (1 << 53) - 1,
        credential_version: i64::MAX,
        created_at: DateTime::<Utc>::MAX_UTC,
        rotated_at: DateTime::<Utc>::MAX_UTC,
        expires_at: DateTime::<Utc>::MAX_UTC,
        fingerprint: Some(Digest([7; 16])),
        spent_with: Some(Digest([7; 16])),
        device_name: "🦊".repeat(64),
        ip_address: IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    };
    assert_eq!(u64::try_from(pack(&session).len()), Ok(LONGEST));
}

proptest! {
    #[test]
    fn a_session_is_read_back_as_it_was_packed(session in session()) {
        prop_assert_eq!(unpack(session.id, &pack(&session)), Ok(session));
    }

    #[test]
    fn a_session_cut_short_of_its_name_is_an_error(session in session(), cut in any::<prop::sample::Index>()) {
        let value = pack(&session);
        let cut = cut.index(value.len() - session.device_name.len());
        prop_assert_eq!(unpack(session.id, &value[..cut]), Err(Unreadable("session")));
    }

    #[test]
    fn another_version_is_an_error(session in session(), version in any::<u8>()) {
        prop_assume!(version != VERSION);
        let mut value = pack(&session);
        value[0] = version;
        prop_assert_eq!(unpack(session.id, &value), Err(Unreadable("session")));
    }

    #[test]
    fn garbage_is_an_error_or_a_session_that_packs_to_it(garbage in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(session) = unpack(Uuid::nil(), &garbage) {
            let packed = pack(&session);
            prop_assert_eq!(&packed[5..], &garbage[5..]);
        }
    }
}

#[test]
fn a_session_with_device_details_is_small() {
    let session = Session {
        id: Uuid::nil(),
        random: SessionRandom([0; 16]),
        generation: 9,
        credential_version: 1,
        created_at: DateTime::UNIX_EPOCH,
        rotated_at: DateTime::UNIX_EPOCH,
        expires_at: DateTime::UNIX_EPOCH,
        fingerprint: Some(Digest([0; 16])),
        spent_with: Some(Digest([0; 16])),
        device_name: "Firefox on Linux".to_owned(),
        ip_address: IpAddr::from([203, 0, 113, 7]),
    };
    assert_eq!(pack(&session).len(), 114);
}

#[test]
fn endings_are_passed_over_and_unknown_fields_are_not() {
    let ending = [b"e".to_vec(), vec![0; 16]].concat();
    assert_eq!(unpack_all(&[ending, vec![1; 14]]), Ok(vec![]));
    for field in [&b""[..], b"s", b"e", b"x0123456789abcdef", b"s0123456789abcde", b"e0123456789abcdef0"] {
        assert_eq!(unpack_all(&[field.to_vec(), vec![]]), Err(Unreadable("field")), "{field:?}");
    }
    assert_eq!(unpack_all(&[b"s0123456789abcdef".to_vec()]), Err(Unreadable("hash")));
}

#[test]
fn each_reason_has_a_number_of_its_own() {
    let codes: HashSet<u8> = EndReason::ALL.into_iter().map(reason_code).collect();
    assert_eq!(codes.len(), EndReason::ALL.len());
    for known in EndReason::ALL {
        assert_eq!(reason(reason_code(known).into()), Ok(Some(known)));
    }
    assert_eq!(reason(0), Ok(None));
    assert_eq!(reason(200), Err(Unreadable("reason")));
}
