//! Schemathesis reads each service's document and sends what the document allows and what it does not, thousands of requests in all: no
//! answer is a failure, has a status that is not declared, or a body or header that is not as described. The sequence is the same each
//! time; a finding tells the request that led to it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use system_tests::client::{Answered, Client};
use system_tests::people::{PASSWORD, Person};
use system_tests::site::Storage;
use system_tests::stack::Stack;

/// Where `tools/install-schemathesis` puts it.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/schemathesis/bin/schemathesis");

/// Requests for each operation and phase, but for the coverage phase, which sends as many as there are borders to try.
const EXAMPLES: &str = "30";

/// What is well-formed by the schema may be unacceptable all the same, such as a password that is soon guessed: 422.
const CHECKS: &str = "[checks.positive_data_acceptance]
expected-statuses = [\"2xx\", 401, 403, 404, 409, 422]
";

/// Runs all phases with all checks.
async fn assert_conforms(client: &Client, url: String, document: &Value, directory: &Path, auth: String) {
    assert!(Path::new(PROGRAM).exists(), "there is no Schemathesis: tools/install-schemathesis installs it");
    fs::write(directory.join("openapi.json"), document.to_string()).expect("a file for the document");
    fs::write(directory.join("schemathesis.toml"), format!("{auth}\n{CHECKS}")).expect("a file for the settings");
    let mut run = Command::new(PROGRAM);
    run.current_dir(directory).args(["--config-file", "schemathesis.toml", "run", "openapi.json", "--url", &url]);
    run.args(["--phases", "examples,coverage,fuzzing,stateful", "--checks", "all", "--continue-on-failure"]);
    run.args(["--max-examples", EXAMPLES, "--seed", "1", "--no-color"]);
    let output = tokio::task::spawn_blocking(move || run.output()).await.expect("no panic").expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        assert!(told.contains(&format!("✅ {phase}")), "{phase} did not run: {told}");
    }
    assert_eq!(client.readiness().await.status, 200);
}

async fn document(client: &Client) -> Value {
    client.get("/openapi.json").answer().await.json()
}

/// Nobody hits upon a password by chance: the document is narrowed to that of one person, so that logins succeed and what follows from
/// them is tried as well.
fn know(document: &mut Value, person: &Person) {
    let schemas = &mut document["components"]["schemas"];
    let known = [
        ("Login", "username", person.username.as_str()),
        ("Login", "password", PASSWORD),
        ("PasswordChange", "currentPassword", PASSWORD),
        ("PasswordChange", "newPassword", PASSWORD),
    ];
    for (schema, property, value) in known {
        let property = &mut schemas[schema]["properties"][property];
        assert!(property.is_object(), "{schema}");
        property["const"] = json!(value);
        property["examples"] = json!([value]);
    }
}

#[tokio::test]
async fn auth_service_answers_as_its_document_says() {
    let stack = Stack::start_with(Storage::Embedded, &[("REGISTRATION__ENABLED", "true")]).await;
    let (client, person) = (stack.client(), stack.person().await);
    let mut document = document(&client).await;
    know(&mut document, &person);
    // Ended sessions are part of the run; whoever is refused logs in anew.
    let auth = format!(
        "[auth.dynamic.openapi.accessToken]
path = \"/login\"
payload = {{ username = \"{}\", password = \"{PASSWORD}\" }}
extract_selector = \"/accessToken\"
retry_on = [401]
",
        person.username
    );
    let url = format!("http://{}", stack.address());
    assert_conforms(&client, url, &document, stack.site.directory(), auth).await;
}

#[tokio::test]
async fn jobs_service_answers_as_its_document_says() {
    let stack = Stack::start(Storage::Embedded).await;
    let jobs = stack.jobs_service().await;
    let token = stack.client().login(&stack.person().await).await.access_token;
    let (client, url) = (jobs.client(), format!("http://{}", jobs.address));
    let auth = format!("[auth.openapi.accessToken]\nbearer = \"{token}\"\n");
    assert_conforms(&client, url, &document(&client).await, stack.site.directory(), auth).await;
}
