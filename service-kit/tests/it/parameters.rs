//! What stands in the path and in the query.

use crate::support::{answer, start};

#[tokio::test]
async fn an_id_that_is_no_uuid_names_nothing() {
    let service = start();
    for id in ["1", "x", "%00", "%ff", "00000000-0000-4000-8000-00000000000g", "..%2f..%2fetc"] {
        answer(service.get(&format!("/items/{id}"))).await.assert_problem(404, "not_found");
    }
    let id = "10000000-0000-4000-8000-000000000001";
    assert_eq!(answer(service.get(&format!("/items/{id}"))).await.body, id);
}

#[tokio::test]
async fn a_query_that_does_not_fit_is_a_bad_request_that_names_the_parameter_alone() {
    let service = start();
    for query in ["limit=hunter2", "limit=-1", "limit=", "limit=99999999999999999999", "limit=%ffhunter2"] {
        let refused = answer(service.get(&format!("/search?{query}"))).await;
        let detail = refused.assert_problem(400, "bad_request");
        assert_eq!(detail, "In the query, `limit` cannot be read.", "{query}");
        assert!(!refused.body.contains("hunter2"));
    }
}

#[tokio::test]
async fn a_parameter_that_is_there_twice_is_a_bad_request() {
    let service = start();
    let refused = answer(service.get("/search?limit=1&limit=2")).await;
    assert_eq!(refused.assert_problem(400, "bad_request"), "In the query, `limit` is there twice.");
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let service = start();
    for (query, limit) in [("", "100"), ("limit=7&other=x&other=y", "7"), ("&&=&a", "100"), ("l%69mit=8", "8")] {
        let found = answer(service.get(&format!("/search?{query}"))).await;
        assert_eq!((found.status, found.body.as_str()), (200, limit), "{query}");
    }
}
