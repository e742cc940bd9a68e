//! What holds of every token, whatever is in it and however it is damaged.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::json;
use shared_claims::{RefreshGrant, SessionRandom, TokenError, UserClaims, generate_secret, random};
use uuid::Uuid;

use crate::support::{House, encode, forge, key_handle, merged, noon, ring, verifier};

fn any_user() -> impl Strategy<Value = UserClaims> {
    (any::<u128>(), ".{0,64}", ".{0,64}").prop_map(|(id, email, username)| UserClaims {
        id: Uuid::from_u128(id),
        email,
        username,
    })
}

/// Any moment between 1970 and 2200, to the millisecond.
fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    (0..7_258_118_400_000_i64).prop_map(|milliseconds| DateTime::from_timestamp_millis(milliseconds).unwrap())
}

fn any_grant() -> impl Strategy<Value = RefreshGrant> {
    (any::<u128>(), any::<u128>(), any::<u64>(), any::<[u8; 16]>(), any_time()).prop_map(
        |(user_id, session_id, generation, random, rotated_at)| RefreshGrant {
            user_id: Uuid::from_u128(user_id),
            session_id: Uuid::from_u128(session_id),
            generation,
            random: SessionRandom(random),
            rotated_at,
        },
    )
}

fn assert_never_good(house: &House, token: &str) -> Result<(), TestCaseError> {
    prop_assert!(matches!(house.verifier.verify(token), Err(TokenError::Invalid(_))));
    prop_assert!(matches!(house.refresh_verifier.verify(token), Err(TokenError::Invalid(_))));
    Ok(())
}

proptest! {
    #[test]
    fn a_minted_access_token_verifies(user in any_user(), session in any::<u128>(), now in any_time()) {
        let house = House::new();
        house.clock.set(now);
        let token = house.minter.mint_access(&user, Uuid::from_u128(session), now);
        let claims = house.verify(&token).unwrap();
        prop_assert_eq!(claims.sub, user.id);
        prop_assert_eq!(&claims.user, &user);
        prop_assert_eq!(claims.sid, Uuid::from_u128(session));
        prop_assert_eq!(claims.iat, now.timestamp());
    }

    #[test]
    fn a_minted_refresh_token_verifies_and_is_always_the_same(grant in any_grant()) {
        let house = House::new();
        house.clock.set(grant.rotated_at);
        let token = house.minter.mint_refresh(&grant);
        prop_assert_eq!(&house.minter.clone().mint_refresh(&grant), &token);
        let claims = house.refresh_verifier.verify(&token).unwrap();
        prop_assert_eq!(claims.session_random(), grant.random);
        prop_assert_eq!((claims.sub, claims.sid), (grant.user_id, grant.session_id));
        prop_assert_eq!((claims.generation, claims.iat), (grant.generation, grant.rotated_at.timestamp()));
    }

    #[test]
    fn a_token_with_any_byte_changed_is_refused(
        refresh in any::<bool>(),
        place in any::<prop::sample::Index>(),
        byte in 0..128_u8,
    ) {
        let house = House::new();
        let mut token = if refresh { house.refresh_token() } else { house.access_token() }.into_bytes();
        let place = place.index(token.len());
        prop_assume!(token[place] != byte);
        token[place] = byte;
        assert_never_good(&house, &String::from_utf8(token).unwrap())?;
    }

    #[test]
    fn a_token_with_any_letter_put_in_is_refused(
        refresh in any::<bool>(),
        place in any::<prop::sample::Index>(),
        letter in any::<char>(),
    ) {
        let house = House::new();
        let mut token = if refresh { house.refresh_token() } else { house.access_token() };
        let place = place.index(token.len() + 1);
        token.insert(place, letter);
        assert_never_good(&house, &token)?;
    }

    #[test]
    fn a_token_with_any_part_cut_out_is_refused(
        refresh in any::<bool>(),
        one in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
    ) {
        let house = House::new();
        let mut token = if refresh { house.refresh_token() } else { house.access_token() };
        let (one, other) = (one.index(token.len() + 1), other.index(token.len() + 1));
        prop_assume!(one != other);
        token.replace_range(one.min(other)..one.max(other), "");
        assert_never_good(&house, &token)?;
    }

    #[test]
    fn any_text_is_refused(text in ".*", header in any::<Vec<u8>>(), payload in any::<Vec<u8>>()) {
        let house = House::new();
        assert_never_good(&house, &text)?;
        assert_never_good(&house, &format!("{}.{}.{}", encode(header), encode(&payload), encode(&payload)))?;
    }

    #[test]
    fn any_payload_is_refused_even_under_a_right_signature(
        payload in any::<Vec<u8>>(),
        letters in r#"[\[\]{}",:a0\\ ]{0,40}"#,
    ) {
        let house = House::new();
        let header = house.access_parts().0.to_string();
        assert_never_good(&house, &house.forge(&header, payload))?;
        assert_never_good(&house, &house.forge(&header, letters))?;
    }

    #[test]
    fn a_token_is_good_in_its_own_life_and_at_no_other_time(seconds in -200_i64..2_000) {
        let house = House::new();
        let token = house.access_token();
        house.clock.set(noon() + chrono::Duration::seconds(seconds));
        let outcome = house.verify(&token).map(drop);
        match seconds {
            ..-60 => prop_assert!(matches!(outcome, Err(TokenError::Invalid(_)))),
            -60..900 => prop_assert_eq!(outcome, Ok(())),
            _ => prop_assert_eq!(outcome, Err(TokenError::Expired)),
        }
    }

    #[test]
    fn who_has_seen_a_token_before_says_of_it_what_anybody_else_would(
        steps in prop::collection::vec((-200_i64..2_000, 0..4_usize, 0..7_usize), 1..40),
    ) {
        let house = House::new();
        let (here, there) = (&house.access_secret, &generate_secret());
        let (header, claims) = house.access_parts();
        let by_there = merged(header.clone(), json!({ "kid": ring(there, &[]).signing_kid() })).to_string();
        let changed = |changes| merged(claims.clone(), changes).to_string();
        let in_a_while = changed(json!({ "nbf": house.now() + 300 }));
        let tokens = [
            house.access_token(),
            house.access_token(),
            forge(there, &by_there, claims.to_string()),
            house.forge(header.to_string(), &in_a_while),
            forge(there, &by_there, &in_a_while),
            house.with_claims(json!({ "aud": ["billing"] })),
            house.with_claims(json!({ "sub": random::uuid() })),
        ];
        let keys = key_handle(here);
        let verifier = |keys| verifier(keys, Duration::ZERO, Arc::new(house.clock.clone()));
        let experienced = verifier(keys.clone());
        for (seconds, secrets, token) in steps {
            house.clock.set(noon() + chrono::Duration::seconds(seconds));
            keys.replace(match secrets {
                0 => ring(here, &[]),
                1 => ring(there, &[]),
                2 => ring(here, &[there]),
                _ => ring(there, &[here]),
            });
            let token = &tokens[token];
            prop_assert_eq!(experienced.verify(token), verifier(keys.clone()).verify(token));
        }
    }
}
