//! `docs/openapi/` holds what each service serves at `/openapi.json`, and that describes every route that there is.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use crate::generated;

const AUTH_ROUTES: &str = include_str!("../../../auth-service/src/routes/mod.rs");
const JOBS_ROUTES: &str = include_str!("../../../jobs-service/src/routes/mod.rs");

fn services() -> [(&'static str, Document, &'static str); 2] {
    [
        ("auth-service", auth_service::ApiDocument::openapi(), AUTH_ROUTES),
        ("jobs-service", jobs_service::ApiDocument::openapi(), JOBS_ROUTES),
    ]
}

#[test]
fn the_copies_of_the_documents_are_what_is_served() {
    for (name, document, _) in services() {
        let served = document.to_pretty_json().unwrap() + "\n";
        generated::hold(&format!("docs/openapi/{name}.json"), &served);
    }
}

#[test]
fn every_route_is_described_with_its_methods_and_no_other_is() {
    for (name, document, table) in services() {
        assert_eq!(described(&document), declared(table), "{name}");
    }
}

/// `METHOD /path` for each operation.
fn described(document: &Document) -> BTreeSet<String> {
    let document = serde_json::to_value(document).unwrap();
    let methods =
        |item: &Value| item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect::<Vec<_>>();
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| methods(item).into_iter().map(move |method| format!("{method} {path}"))).collect()
}

/// The same as a route table says it: `resource("/path", [(METHOD, …), …])`.
fn declared(table: &str) -> BTreeSet<String> {
    let resources = table.split("resource(\"").skip(1).map(|rest| rest.split_once('"').unwrap());
    let routes = resources.flat_map(|(path, rest)| {
        let methods = rest.split('(').skip(1).filter_map(|part| part.split_once(',')).map(|(method, _)| method.trim());
        let methods = methods.map(|method| method.trim_start_matches("Method::"));
        methods
            .filter(|method| method.bytes().all(|byte| byte.is_ascii_uppercase()))
            .map(move |method| format!("{method} {path}"))
    });
    routes.collect()
}

#[test]
fn every_operation_needs_a_token_or_is_one_that_is_for_getting_one() {
    let mut open = BTreeSet::new();
    for (_, document, _) in services() {
        let document = serde_json::to_value(document).unwrap();
        let paths = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|item| item.as_object().unwrap().values().cloned());
        for operation in paths.collect::<Vec<Value>>() {
            if operation.get("security") == Some(&json!([{ "accessToken": [] }])) {
                assert!(operation["responses"]["401"].is_object(), "{operation}");
            } else {
                open.insert(operation["operationId"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(open, ["login", "logout", "refresh", "register"].map(str::to_owned).into());
}
