//! What a socket cannot show quickly: bodies that stall, and any bytes at all. The rest is tested over HTTP.

use actix_web::test::TestRequest;
use futures_util::{FutureExt, stream};
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
struct Login {
    username: String,
    password: String,
}

async fn read(body: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Result<JsonBody<Login>, Problem> {
    let request = TestRequest::default().insert_header((header::CONTENT_TYPE, "application/json")).to_http_request();
    JsonBody::from_request(&request, &mut Payload::Stream { payload: Box::pin(body) }).await
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up_after_ten_seconds() {
    let begun = stream::iter([Ok(Bytes::from_static(b"{\"username\":"))]).chain(stream::pending());
    let started = tokio::time::Instant::now();
    let refused = read(begun).await.expect_err("a time-out");
    assert_eq!((refused.code(), started.elapsed()), ("request_timeout", Duration::from_secs(10)));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_bad_request() {
    let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(PayloadError::Incomplete(None))]);
    assert_eq!(read(broken).await.expect_err("a refusal").code(), "bad_request");
}

#[tokio::test]
async fn nothing_is_read_beyond_the_limit() {
    let endless = stream::repeat_with(|| Ok(Bytes::from_static(&[b' '; 1024])));
    assert_eq!(read(endless).now_or_never().expect("at once").expect_err("a refusal").code(), "payload_too_large");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse::<Login>(&bytes);
    }

    #[test]
    fn no_refusal_quotes_what_was_sent(secret in "[a-zA-Z0-9]{12}", cut in 0..40_usize) {
        let whole = format!(r#"{{"username":"{secret}","password":"{secret}"}}"#);
        let parsed = parse::<Login>(whole.as_bytes()).expect("it fits");
        prop_assert_eq!((&parsed.username, &parsed.password), (&secret, &secret));
        for body in [
            whole[..cut.min(whole.len() - 1)].to_owned(),
            format!(r#"{{"username":["{secret}"]}}"#),
            format!(r#"{{"username":{{"{secret}":1}}}}"#),
            format!(r#"{{"{secret}":1}}"#),
            format!(r#"{{"username":{secret}}}"#),
            format!(r#"{{"username":"a","username":"{secret}"}}"#),
            format!("{whole}{secret}"),
        ] {
            let refused = parse::<Login>(body.as_bytes()).expect_err("it does not fit");
            prop_assert!(!format!("{refused:?}").contains(&secret), "{:?}", refused);
        }
    }
}
