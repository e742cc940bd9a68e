//! Holds the pages under `docs/` to what the programs do: every key, command and library, and examples that run as they stand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod blocks;
mod clients;
mod commands;
mod configuration;
mod dependencies;
mod deployment;
mod examples;
mod figures;
mod from_nothing;
mod generated;
mod mistakes;
mod observability;
mod openapi;
mod pages;
mod reference;
mod rotation;
mod tools;
mod typed;
