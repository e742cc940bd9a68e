//! `docs/configuration.md` lists every command of the services, with the words that it is called by.

use clap::{Command, CommandFactory};

const PAGE: &str = include_str!("../../../docs/configuration.md");

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
    for program in [auth_service::cli::command(), jobs_service::cli::Cli::command()] {
        for words in typed(&program, "") {
            let is_told = PAGE.contains(&format!("`{words}`")) || PAGE.contains(&format!("`{words} "));
            assert!(is_told, "{words}");
        }
    }
}
