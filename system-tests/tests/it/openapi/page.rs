//! The document, the page that shows it, and the files of the page.

use rstest::rstest;
use serde_json::Value;
use system_tests::client::{Answer, Answered, Client};
use system_tests::site::Storage;
use system_tests::stack::{Running, Stack};

/// An installation with both services, and a client of each.
async fn both() -> (Stack, Running, [Client; 2]) {
    let stack = Stack::start(Storage::Embedded).await;
    let jobs = stack.jobs_service().await;
    let clients = [stack.client(), jobs.client()];
    (stack, jobs, clients)
}

async fn found(client: &Client, path: &str) -> Answer {
    let answer = client.get(path).answer().await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer
}

#[tokio::test]
async fn each_service_describes_itself_by_openapi_3_1() {
    let (_stack, _jobs, clients) = both().await;
    for (client, title) in clients.iter().zip(["auth-service", "jobs-service"]) {
        let answer = found(client, "/openapi.json").await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let document = answer.json();
        assert_eq!((&document["openapi"], &document["info"]["title"]), (&"3.1.0".into(), &title.into()));
        assert_eq!(document["components"]["securitySchemes"]["accessToken"]["scheme"], "bearer");
    }
}

#[tokio::test]
async fn every_reference_of_a_document_leads_somewhere_in_it() {
    let (_stack, _jobs, clients) = both().await;
    for client in &clients {
        let document = found(client, "/openapi.json").await.json();
        let references = references(&document);
        assert!(!references.is_empty());
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("nothing is said elsewhere");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => {
            let here = members.get("$ref").and_then(Value::as_str);
            here.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_may_not() {
    let (_stack, _jobs, clients) = both().await;
    for client in &clients {
        let page = found(client, "/docs").await;
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "), "{policy}");
        assert!(!["unsafe", "http", "*"].iter().any(|laxity| policy.contains(laxity)), "{policy}");
        let links: Vec<_> = page.body.split(['"', ' ']).filter_map(|part| part.strip_prefix("docs/")).collect();
        assert_eq!(links, ["swagger-ui.css", "swagger-ui-bundle.js", "start.js"]);
        assert!(!page.body.contains("//"), "{}", page.body);
    }
}

#[rstest]
#[case("swagger-ui.css", "text/css")]
#[case("swagger-ui-bundle.js", "text/javascript")]
#[case("start.js", "text/javascript")]
#[tokio::test]
async fn the_files_of_the_page_are_there(#[case] name: &str, #[case] media_type: &str) {
    let (_stack, _jobs, clients) = both().await;
    for client in &clients {
        let file = client.get(&format!("/docs/{name}")).send().await.expect("the service answers");
        assert_eq!(file.status(), 200);
        assert_eq!(file.headers()["content-type"], media_type);
        assert_eq!(file.headers()["cache-control"], "max-age=3600");
        assert!(!file.bytes().await.expect("the file").is_empty());
    }
}

#[rstest]
#[case("/docs/")]
#[case("/docs/index.html")]
#[case("/docs/swagger-initializer.js")]
#[case("/docs/..%2fopenapi.json")]
#[tokio::test]
async fn no_other_file_is_there(#[case] path: &str) {
    let (_stack, _jobs, clients) = both().await;
    for client in &clients {
        client.get(path).answer().await.assert_problem(404, "not_found");
    }
}
