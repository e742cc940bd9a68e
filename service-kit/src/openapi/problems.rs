//! Describes an answer by the problems that it may be: what is documented is what is sent.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::body::MessageBody;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, Response, ResponseBuilder};

use crate::problem;

/// Members of every problem; those beside them are described by the values that they have.
const COMMON: [&str; 6] = ["type", "title", "status", "detail", "errors", "code"];

/// Declares answers of a service that are problems, each to be named among the `responses(…)` of an operation and among the
/// `components(responses(…))` of the document. The problems are an expression that can be iterated over, all of one status.
///
/// ```
/// use service_kit::problem::Problem;
///
/// service_kit::problem_responses! {
///     NotFound: "There is no such thing." = [Problem::not_found()];
/// }
/// ```
#[macro_export]
macro_rules! problem_responses {
    ($($name:ident: $description:literal = $problems:expr;)+) => {$(
        #[doc = $description]
        pub(crate) struct $name;

        impl ::utoipa::ToResponse<'static> for $name {
            fn response() -> (&'static str, ::utoipa::openapi::RefOr<::utoipa::openapi::Response>) {
                (stringify!($name), $crate::openapi::described($description, $problems).into())
            }
        }

        impl ::utoipa::IntoResponses for $name {
            fn responses()
            -> ::std::collections::BTreeMap<String, ::utoipa::openapi::RefOr<::utoipa::openapi::Response>> {
                let reference = ::utoipa::openapi::Ref::from_response_name(stringify!($name));
                [($crate::openapi::status_of($problems), reference.into())].into()
            }
        }
    )+};
}

/// The status that these problems have in common, as a key of `responses`.
///
/// # Panics
///
/// Where they have none in common.
pub fn status_of(problems: impl IntoIterator<Item = impl ResponseError>) -> String {
    let statuses: BTreeSet<_> = problems.into_iter().map(|problem| problem.status_code().as_u16()).collect();
    let [status] = statuses.iter().collect::<Vec<_>>()[..] else { panic!("not one status: {statuses:?}") };
    status.to_string()
}

/// An answer that is one of these problems: their codes, their headers, and one of each code for an example.
pub fn described(description: &str, problems: impl IntoIterator<Item = impl ResponseError>) -> Response {
    let answers: Vec<_> = problems.into_iter().map(|problem| problem.error_response()).collect();
    let mut headers = BTreeMap::new();
    for (name, value) in answers.iter().flat_map(HttpResponse::headers).filter(|(name, _)| **name != CONTENT_TYPE) {
        headers.entry(title_case(name)).or_insert_with(|| header(name, value));
    }
    let bodies: Vec<_> = answers.into_iter().map(body).collect();
    let mut examples = BTreeMap::new();
    for body in &bodies {
        let code = body["code"].as_str().expect("each problem has a code");
        examples.entry(code.to_owned()).or_insert_with(|| ExampleBuilder::new().value(Some(body.clone())).build());
    }
    let content = ContentBuilder::new().schema(Some(schema(&bodies))).examples_from_iter(examples).build();
    let response = ResponseBuilder::new().description(description).content(problem::CONTENT_TYPE, content);
    headers.into_iter().fold(response, |response, (name, header)| response.header(name, header)).build()
}

fn body(answer: HttpResponse) -> Value {
    let bytes = answer.into_body().try_into_bytes().unwrap_or_else(|_| panic!("a problem is no stream"));
    serde_json::from_slice(&bytes).expect("a problem is JSON")
}

/// Every problem, narrowed to the codes of these and to the values of what only these have.
fn schema(bodies: &[Value]) -> AllOfBuilder {
    let mut words = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (name, value) in bodies.iter().filter_map(Value::as_object).flatten() {
        if let Some(word) = value.as_str().filter(|_| name == "code" || !COMMON.contains(&name.as_str())) {
            words.entry(name).or_default().insert(word);
        }
    }
    let narrowed = words.into_iter().fold(ObjectBuilder::new().schema_type(Type::Object), |narrowed, (name, words)| {
        narrowed.property(name, ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)))
    });
    AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed)
}

fn header(name: &HeaderName, value: &HeaderValue) -> Header {
    let text = value.to_str().expect("a header of text");
    let (description, example) = match *name {
        RETRY_AFTER => {
            ("Seconds after which it is worth asking again.", text.parse::<u64>().map_or(text.into(), Value::from))
        }
        ALLOW => ("The methods that the path answers to.", "GET, HEAD".into()),
        WWW_AUTHENTICATE => ("How to authenticate (RFC 6750 §3).", text.into()),
        _ => ("", text.into()),
    };
    let schema = match example {
        Value::String(_) => ObjectBuilder::new().schema_type(Type::String),
        _ => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)),
    };
    HeaderBuilder::new().description(Some(description)).schema(Some(schema)).example(Some(example)).build()
}

/// `retry-after` as it is written in documents: `Retry-After`.
fn title_case(name: &HeaderName) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let words: Vec<_> =
        name.as_str().split('-').map(|part| if part == "www" { "WWW".to_owned() } else { word(part) }).collect();
    words.join("-")
}
