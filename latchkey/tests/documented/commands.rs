//! The commands that the pages name are there: of the services each, with the words that it is called by; and what is typed of Make, npm
//! and Cargo. `docs/configuration.md` lists every command of the services.

use std::fs;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory};
use serde_json::Value;

use crate::pages::root;
use crate::typed::{Typed, commands};

const PAGE: &str = include_str!("../../../docs/configuration.md");
const MAKEFILE: &str = include_str!("../../../Makefile");
const WEB_CLIENT: &str = include_str!("../../../web-client/package.json");

fn services() -> [Command; 2] {
    [auth_service::cli::command(), jobs_service::cli::Cli::command()]
}

/// What is typed for each command that has none below it.
fn typed(command: &Command, before: &str) -> Vec<String> {
    let words = format!("{before}{}", command.get_name());
    let below: Vec<_> = command.get_subcommands().collect();
    if below.is_empty() {
        return vec![words];
    }
    below.into_iter().flat_map(|command| typed(command, &format!("{words} "))).collect()
}

#[test]
fn every_command_is_documented() {
    for program in services() {
        for words in typed(&program, "") {
            let is_told = PAGE.contains(&format!("`{words}`")) || PAGE.contains(&format!("`{words} "));
            assert!(is_told, "{words}");
        }
    }
}

/// Whether a service takes these words. Where a page only names a command, what it must be given may be missing.
pub(crate) fn is_understood(words: &[&str]) -> bool {
    let words = words.iter().take_while(|word| **word != "…").map(|word| match word.trim_matches(['[', ']']) {
        "SESSION" => "00000000-0000-4000-8000-000000000000",
        word => word,
    });
    let words: Vec<_> = words.collect();
    let program = services().into_iter().find(|program| Some(&program.get_name()) == words.first());
    let accepted = [
        ErrorKind::MissingRequiredArgument,
        ErrorKind::DisplayHelp,
        ErrorKind::DisplayVersion,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ];
    program.is_some_and(|program| match program.try_get_matches_from(words) {
        Ok(_) => true,
        Err(error) => accepted.contains(&error.kind()),
    })
}

#[test]
fn every_command_of_a_service_that_a_page_names_is_understood() {
    for service in services() {
        for typed in commands(service.get_name()) {
            typed.assert(is_understood(&typed.words.iter().map(String::as_str).collect::<Vec<_>>()), "not understood");
        }
    }
    assert!(!is_understood(&["auth-service", "users", "remove", "ada"]));
    assert!(!is_understood(&["jobs-service", "keygen"]));
    assert!(!is_understood(&["auth-service", "sessions", "end", "ada", "--every"]));
}

#[test]
fn every_target_of_make_that_a_page_names_is_there() {
    for typed in commands("make") {
        for word in &typed.words[1..] {
            let is_there = match word.split_once('=') {
                Some((variable, _)) => MAKEFILE.contains(&format!("$({variable})")),
                None => MAKEFILE.contains(&format!("\n{word}: ")),
            };
            typed.assert(is_there, word);
        }
    }
}

#[test]
fn every_script_of_npm_that_a_page_names_is_there() {
    let package: Value = serde_json::from_str(WEB_CLIENT).unwrap();
    for typed in commands("npm") {
        let script = match typed.words[1].as_str() {
            "run" => &typed.words[2],
            "install" => continue,
            short => short,
        };
        typed.assert(package["scripts"][script].is_string(), script);
    }
}

#[test]
fn every_package_and_example_that_a_page_has_cargo_build_is_there() {
    let assert_there = |typed: &Typed| {
        for package in typed.values("--package") {
            let directory = package.strip_prefix("latchkey-").unwrap_or(package);
            let manifest = fs::read_to_string(root().join(directory).join("Cargo.toml")).unwrap_or_default();
            typed.assert(manifest.contains(&format!("name = \"{package}\"\n")), package);
            for feature in typed.values("--features") {
                typed.assert(manifest.contains(&format!("\n{feature} = [")), feature);
            }
            for example in typed.values("--example") {
                let file = Path::new(directory).join("examples").join(example).with_extension("rs");
                typed.assert(root().join(file).is_file(), example);
            }
        }
    };
    for subcommand in ["build", "run", "doc"] {
        commands(&format!("cargo {subcommand}")).iter().for_each(assert_there);
    }
}
