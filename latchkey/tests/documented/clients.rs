//! `docs/client.md` and `docs/web-client.md`: the command that they have typed runs, and what they name is in the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use system_tests::program::Program;
use toml::{Table, Value};

use crate::blocks::blocks;
use crate::examples::Latchkey;
use crate::pages::root;
use crate::typed::commands;

const CLIENT: &str = include_str!("../../../docs/client.md");
const WEB_CLIENT: &str = include_str!("../../../docs/web-client.md");

/// The example of the Rust client with the arguments of the page, but for three seconds in place of a minute.
#[tokio::test]
async fn the_example_of_the_rust_client_survives_access_tokens_of_two_seconds() {
    let lines = blocks(CLIENT).into_iter().find(|block| block.text.contains("--example jobs")).unwrap().text;
    let (short_lived, _) = lines.split_once(" make run").unwrap();
    let (_, password) = lines.split_once("JOBS_PASSWORD=").unwrap();
    let [typed] = &commands("cargo run --package latchkey-client")[..] else { panic!("not one command") };
    let arguments = typed.words.iter().skip_while(|word| *word != "--").skip(1).map(String::as_str);
    let arguments: Vec<_> = arguments.map(|argument| if argument == "1m" { "3s" } else { argument }).collect();
    assert!(arguments.contains(&"3s"), "{arguments:?}");

    let latchkey = Latchkey::start_with(Some(short_lived));
    let [_, auth, jobs] = latchkey.addresses.clone();
    let password = password.split(' ').next().unwrap().to_owned();
    let environment = [("JOBS_AUTH_URL", auth), ("JOBS_URL", jobs), ("JOBS_PASSWORD", password)];
    let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
    let example = Program::example("latchkey-client", "jobs", latchkey.directory.path(), environment);
    let ended = example.run(&arguments, "").await;
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stdout.starts_with("signed in as ada\n"), "{ended:?}");
    assert!(ended.stderr.contains("the access token was renewed"), "{ended:?}");
}

/// The sources below a directory, put together.
fn sources(directory: &Path) -> String {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: &Path| if path.is_dir() { sources(path) } else { fs::read_to_string(path).unwrap_or_default() };
    entries.map(|path| text(&path)).collect()
}

/// The words in backticks of one column of a section's table.
fn column(page: &str, section: &str, column: usize) -> BTreeSet<String> {
    let (_, rest) = page.split_once(&format!("\n## {section}\n")).unwrap();
    let rows = rest.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.split(" | ").nth(column).map(|cell| cell.trim_start_matches("| ")));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_method_and_error_of_the_rust_client_that_the_page_names_is_there() {
    let code = sources(&root().join("client/src"));
    let methods = column(CLIENT, "Calls", 1);
    assert!(methods.len() > 15, "{methods:?}");
    for method in methods.iter().map(|method| method.split('(').next().unwrap()) {
        let is_there = match method.strip_prefix("latchkey_client::") {
            Some(exported) => code.contains(&format!("pub async fn {exported}")),
            None => ["(", "<"].iter().any(|end| code.contains(&format!("fn {method}{end}"))),
        };
        assert!(is_there, "there is no method {method}");
    }
    let errors = fs::read_to_string(root().join("client/src/error.rs")).unwrap();
    let named = column(CLIENT, "Errors", 0);
    assert!(named.len() > 5, "{named:?}");
    for error in named.iter().filter(|name| *name != "Error") {
        let variant: String = error.chars().take_while(char::is_ascii_alphanumeric).collect();
        assert!(errors.contains(&format!("\n    {variant}")), "there is no error {variant}");
    }
}

#[test]
fn what_the_page_of_the_web_client_names_is_in_its_code() {
    let code = sources(&root().join("web-client/src"));
    for key in column(WEB_CLIENT, "What it keeps", 0) {
        let stem = key.split('<').next().unwrap();
        assert!(code.contains(stem), "nothing is kept as {key}");
    }
    for file in column(WEB_CLIENT, "Working on it", 1) {
        let places = ["web-client/src/app", "web-client"].map(|place| root().join(place).join(&file));
        assert!(places.iter().any(|place| place.is_file()), "there is no {file}");
    }
}

/// The policy that the page shows is the one that both who serve the web client send.
#[test]
fn the_policy_of_the_page_is_what_is_sent() {
    let policy = blocks(WEB_CLIENT).into_iter().find(|block| block.text.starts_with("default-src")).unwrap().text;
    let policy = policy.replace('\n', " ");
    let gateway = fs::read_to_string(root().join("deploy/gateway/page.conf")).unwrap();
    assert!(gateway.contains(&format!("\"{policy}\"")), "{policy}");
    let process = fs::read_to_string(root().join("latchkey/src/web.rs")).unwrap();
    let process = process.replace("\\\n", "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(process.contains(&format!("\"{policy}\"")), "{policy}");
}

/// A crate of one's own begins with the libraries that everything here is built with.
#[test]
fn the_crate_of_the_walk_through_depends_on_what_is_tried() {
    let page = fs::read_to_string(root().join("docs/add-a-service.md")).unwrap();
    let manifest = blocks(&page).into_iter().find(|block| block.language == "toml").unwrap().text;
    let shown: Table = manifest.parse().unwrap();
    let workspace: Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let version =
        |dependency: &Value| dependency.as_str().or_else(|| dependency.get("version")?.as_str()).map(str::to_owned);
    for (name, dependency) in shown["dependencies"].as_table().unwrap() {
        let tried = &workspace["workspace"]["dependencies"][name];
        match (version(dependency), version(tried)) {
            (Some(shown), Some(tried)) => {
                assert!(tried.starts_with(&shown), "{name} {shown} is shown, {tried} is tried");
            }
            (None, None) => assert!(dependency["path"].as_str().unwrap().ends_with(tried["path"].as_str().unwrap())),
            _ => panic!("{name} is of a registry here and of a path there"),
        }
    }
}
