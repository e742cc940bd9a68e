//! What `docs/configuration.md` has typed to begin with: two services and a user from nothing, and the users of `latchkey`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::json;
use system_tests::client::{Client, SignedIn};
use system_tests::program::{Program, listening_on};
use system_tests::waiting::eventually;

use crate::blocks::{Shell, blocks};
use crate::examples::Latchkey;

const PAGE: &str = include_str!("../../../docs/configuration.md");

fn block(words: &str) -> String {
    let mut blocks = blocks(PAGE).into_iter().filter(|block| block.language == "sh");
    blocks.find(|block| block.text.contains(words)).expect("the page shows it").text
}

#[tokio::test]
async fn two_services_and_a_user_come_from_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let programs = ["auth-service", "jobs-service"].map(|name| Program::new(name, directory.path(), Vec::new()));
    // What Cargo is told to build is built already; that there are such packages is tested beside.
    fs::create_dir_all(directory.path().join("target/release")).unwrap();
    for (program, name) in programs.iter().zip(["auth-service", "jobs-service"]) {
        symlink(program.directory().join(name), directory.path().join("target/release").join(name)).unwrap();
    }
    let cargo = directory.path().join("cargo");
    fs::write(&cargo, "#!/bin/sh\n[ \"$1\" = build ]\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o700)).unwrap();

    let mut shell = Shell::open(directory.path(), &[directory.path()], &[("LATCHKEY_SERVER__PORT", "0")]);
    shell.run(&block("cargo build --release"));
    let client_of = async |service: &str| {
        let own = format!("{service} is listening");
        let address = async || {
            let written = shell.written_by(1);
            listening_on(written.lines().find(|line| line.contains(&own) && line.ends_with('}'))?)
        };
        Client::new(eventually(&own, address).await)
    };
    let (auth, jobs) = (client_of("auth-service").await, client_of("jobs-service").await);
    let mary = json!({ "username": "mary", "password": "fossils from Lyme Regis" });
    let tokens = auth.try_login(&mary).await.read::<SignedIn>(200).tokens;
    assert_eq!(jobs.job_list(&tokens.access_token).await.json(), json!([]));
    let secrets = fs::metadata(directory.path().join("latchkey.env")).unwrap();
    assert_eq!(secrets.permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_users_of_latchkey_are_listed_beside_it() {
    let latchkey = Latchkey::start();
    let programs = Program::new("auth-service", latchkey.directory.path(), Vec::new());
    let mut shell = Shell::open(latchkey.directory.path(), &[programs.directory()], &[]);
    let listed = shell.run(&block("--config data/secrets.toml"));
    assert!(["ada", "grace", "linus"].iter().all(|user| listed.contains(user)), "{listed}");
}
