//! `make run` promises that the services run where Node is missing: its step for the web client says so and does not fail.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Where a program is that every machine has.
fn installed(program: &str) -> String {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

#[test]
fn without_node_the_web_client_is_left_out_and_said_to_be() {
    let programs = tempfile::tempdir().unwrap();
    for program in ["bash", "dirname", "find", "cmp", "cp"] {
        symlink(installed(program), programs.path().join(program)).unwrap();
    }
    let built = Command::new(programs.path().join("bash"))
        .arg(Path::new(REPOSITORY).join("tools/build-web-client"))
        .env_clear()
        .env("PATH", programs.path())
        .output()
        .unwrap();
    let said = String::from_utf8(built.stdout).unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    assert!(said.contains("needs Node 20"), "{said}");
    assert!(said.contains("The services run without it"), "{said}");
}

/// Even where building fails, for whatever reason, the services are started.
#[test]
fn make_run_starts_the_services_whatever_became_of_the_web_client() {
    let recipe = Command::new("make").args(["--dry-run", "run"]).current_dir(REPOSITORY).output().unwrap();
    let recipe = String::from_utf8(recipe.stdout).unwrap();
    let (building, starting) = recipe.split_once("cargo run --release").unwrap();
    assert!(building.contains("tools/build-web-client || echo"), "{recipe}");
    assert!(starting.contains("--package latchkey"), "{recipe}");
}
