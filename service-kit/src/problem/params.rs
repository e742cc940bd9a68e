//! Reads what stands in the path and in the query, and answers with a problem where it cannot.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::{Problem, misfit};

/// The variable parts of the path as a `T`. A part that does not fit, such as an id that is no UUID, names nothing: 404 `not_found`.
#[derive(Debug)]
pub struct PathParams<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for PathParams<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The library's own extractor logs a path that does not fit, whatever stands in it.
        ready(request.match_info().load().map(Self).map_err(|_| Problem::not_found()))
    }
}

/// The query as a `T`; parameters that `T` does not know are ignored. What does not fit is 400 `bad_request`.
#[derive(Debug)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned> FromRequest for QueryParams<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let misfit = misfit::describe(error.path(), &error.inner().to_string());
        Problem::bad_request(format!("In the query, {misfit}."))
    })
}
