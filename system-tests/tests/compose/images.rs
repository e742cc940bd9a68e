//! What the containers may do, and what is in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::{compose, inspect, run, try_compose};

const OURS: [&str; 3] = ["auth-service", "jobs-service", "gateway"];

#[tokio::test]
async fn our_containers_are_nobody_own_nothing_and_have_no_shell() {
    for service in OURS {
        let container = inspect(service).await;
        let user = container["Config"]["User"].as_str().expect("a user");
        assert!(!user.is_empty() && !user.starts_with('0') && !user.starts_with("root"), "{service} is {user:?}");
        let host = &container["HostConfig"];
        assert_eq!(host["ReadonlyRootfs"], true, "{service}");
        assert_eq!(host["CapDrop"], json!(["ALL"]), "{service}");
        assert_eq!(host["CapAdd"], Value::Null, "{service}");
        assert_eq!(host["Privileged"], false, "{service}");
        assert_eq!(host["SecurityOpt"], json!(["no-new-privileges:true"]), "{service}");
        for shell in ["sh", "bash", "/bin/sh", "/bin/busybox"] {
            let output = try_compose(&["exec", "-T", service, shell], "").await;
            assert!(matches!(output.status.code(), Some(126 | 127 | 1)), "{service} has {shell}: {output:?}");
        }
    }
}

#[tokio::test]
async fn every_container_is_healthy_and_its_check_needs_no_shell() {
    for service in OURS.iter().chain(&["redis", "postgres"]) {
        let container = inspect(service).await;
        assert_eq!(container["State"]["Health"]["Status"], "healthy", "{service}");
        assert_eq!(container["Config"]["Healthcheck"]["Test"][0], "CMD", "{service}");
    }
}

#[tokio::test]
async fn programs_and_labels_tell_version_and_commit() {
    let commit = std::env::var("LATCHKEY_COMMIT").expect("the commit that was built");
    let version = env!("CARGO_PKG_VERSION");
    for service in ["auth-service", "jobs-service"] {
        let said = compose(&["exec", "-T", service, service, "--version"]).await;
        assert_eq!(said.trim(), format!("{service} {version} ({commit})"));
    }
    for service in OURS {
        let container = inspect(service).await;
        let labels = &container["Config"]["Labels"];
        assert_eq!(labels["org.opencontainers.image.version"], version, "{service}");
        assert_eq!(labels["org.opencontainers.image.revision"], commit.as_str(), "{service}");
        assert!(labels["org.opencontainers.image.title"].is_string(), "{service}");
    }
}

/// What the page of deploying says in the column of a service.
fn said_to_add(service: &str) -> f64 {
    let page = include_str!("../../../docs/deploying.md");
    let rows = || page.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let heads = rows().find(|cells| cells.contains(&service) && cells.contains(&"measured by")).expect("a table");
    let column = heads.iter().position(|head| *head == service).expect("a column");
    let row = rows().find(|cells| cells.iter().any(|cell| cell.starts_with("adds to its base image")));
    let said = row.expect("a row")[column];
    said.strip_suffix(" MB").and_then(|number| number.parse().ok()).expect("a number of MB")
}

#[tokio::test]
async fn a_service_adds_to_its_base_image_what_the_page_says() {
    for service in ["auth-service", "jobs-service"] {
        let image = inspect(service).await["Image"].as_str().expect("an id").to_owned();
        let history = run(&format!("docker history --human=false --format {{{{.Size}}}} {image}"), "").await;
        let sizes = String::from_utf8(history.stdout).expect("text");
        // The latest layer with something in it.
        let added = sizes.lines().map(|size| size.parse::<f64>().expect("bytes")).find(|size| *size > 0.0);
        let (added, said) = (added.expect("a layer") / 1e6, said_to_add(service));
        assert!((added - said).abs() <= 0.03 * said, "{service} adds {added:.1} MB, and {said} are said");
    }
}

#[tokio::test]
async fn a_service_has_the_secrets_that_it_needs_and_no_other() {
    let holds = async |service: &str, file: &str| {
        let container = inspect(service).await;
        let id = container["Id"].as_str().expect("an id");
        run(&format!("docker cp {id}:/run/secrets/latchkey/{file} -"), "").await.status.success()
    };
    assert!(holds("auth-service", "refresh_secret").await);
    assert!(holds("jobs-service", "access_secret").await);
    for file in ["refresh_secret", "token_store_url", "password"] {
        assert!(!holds("jobs-service", file).await, "{file}");
    }
    for service in OURS {
        let container = inspect(service).await;
        let environment = container["Config"]["Env"].to_string();
        assert!(!environment.contains("redis://") && !environment.contains("postgres://"), "{service}");
    }
}

#[tokio::test]
async fn jobs_service_is_in_no_network_with_redis() {
    let networks = async |service: &str| -> BTreeSet<String> {
        let container = inspect(service).await;
        container["NetworkSettings"]["Networks"].as_object().expect("networks").keys().cloned().collect()
    };
    assert!(networks("jobs-service").await.is_disjoint(&networks("redis").await));
    assert!(!networks("auth-service").await.is_disjoint(&networks("redis").await));
}

#[tokio::test]
async fn nothing_but_the_gateway_is_published_beyond_the_loopback() {
    for service in OURS.iter().chain(&["redis", "postgres"]) {
        let container = inspect(service).await;
        let published = container["HostConfig"]["PortBindings"].as_object().cloned().unwrap_or_default();
        let addresses: Vec<_> =
            published.values().flat_map(|hosts| hosts.as_array().cloned().unwrap_or_default()).collect();
        let is_public = addresses.iter().any(|host| host["HostIp"] != "127.0.0.1");
        assert_eq!(is_public, *service == "gateway", "{service}: {addresses:?}");
    }
}
