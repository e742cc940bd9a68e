//! Whatever is presented as a token is verified or refused. What nobody signed is refused; and of what is signed as it should be, with
//! a piece of its claims replaced, only what keeps the rules is taken.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey_fuzz::replaced;
use libfuzzer_sys::fuzz_target;
use secrecy::{ExposeSecret, SecretString};
use shared_claims::{
    Clock, KeyHandle, KeyRing, RefreshVerifier, SystemClock, Verifier, VerifierSettings, generate_secret,
};

const ISSUER: &str = "latchkey";
const NAME: &str = "fuzz";

struct House {
    secret: SecretString,
    kid: String,
    access: Verifier,
    refresh: RefreshVerifier,
}

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let secret = generate_secret();
    let keys = || KeyRing::new(&secret, &[]).expect("a good secret");
    let settings = VerifierSettings { issuer: ISSUER.to_owned(), audience: NAME.to_owned(), leeway: Duration::ZERO };
    let (clock, kid) = (Arc::new(SystemClock), keys().signing_kid().to_owned());
    let access = Verifier::new(KeyHandle::new(keys()), settings, clock.clone()).expect("settings that hold");
    let refresh = RefreshVerifier::new(KeyHandle::new(keys()), ISSUER.to_owned(), Duration::ZERO, clock)
        .expect("settings that hold");
    House { secret, kid, access, refresh }
});

impl House {
    fn signed(&self, kind: &str, claims: &str) -> String {
        let header = format!(r#"{{"alg":"HS256","typ":"{kind}","kid":"{}"}}"#, self.kid);
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.expose_secret().as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes())))
    }
}

const SOMEBODY: &str = "10000000-0000-4000-8000-000000000001";

/// Claims that both kinds of token have, and no other, in ASCII.
fn common(audience: &str, lifetime: i64) -> String {
    let now = SystemClock.now().timestamp();
    let exp = now + lifetime;
    format!(r#""iss":"{ISSUER}","aud":["{audience}"],"sub":"{SOMEBODY}","iat":{now},"exp":{exp},"sid":"{SOMEBODY}""#)
}

fuzz_target!(|input: (&str, u16, u8)| {
    let (text, at, length) = input;
    let House { access, refresh, .. } = &*HOUSE;
    assert!(access.verify(text).is_err());
    assert!(refresh.recognise(text).is_err());

    let user = format!(r#"{{"id":"{SOMEBODY}","email":"ada@example.test","username":"ada"}}"#);
    let claims = format!(r#"{{{},"jti":"{SOMEBODY}","user":{user}}}"#, common(NAME, 900));
    assert!(access.verify(&HOUSE.signed("at+jwt", &claims)).is_ok(), "{claims}");
    assert!(refresh.recognise(&HOUSE.signed("at+jwt", &claims)).is_err());
    if let Ok(read) = access.verify(&HOUSE.signed("at+jwt", &replaced(&claims, at, length, text))) {
        assert!(read.iss == ISSUER && read.aud.iter().any(|name| name == NAME) && read.sub == read.user.id);
        assert!(read.iat < read.exp && read.exp - read.iat <= 24 * 60 * 60);
    }

    let random = URL_SAFE_NO_PAD.encode([7; 16]);
    let claims = format!(r#"{{{},"jti":"{random}.3","gen":3}}"#, common("auth-service", 2_592_000));
    assert!(refresh.recognise(&HOUSE.signed("rt+jwt", &claims)).is_ok(), "{claims}");
    if let Ok(read) = refresh.recognise(&HOUSE.signed("rt+jwt", &replaced(&claims, at, length, text))) {
        assert!(read.iss == ISSUER && read.aud.iter().any(|name| name == "auth-service"));
    }
});
