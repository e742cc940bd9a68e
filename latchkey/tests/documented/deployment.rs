//! The lines for Docker and Kubernetes in the pages name files, services, profiles, targets and objects that are there. Whether they do
//! what is said is for `make test-compose`, and for a cluster.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::commands::is_understood;
use crate::pages::root;
use crate::typed::{Typed, commands};

/// Flags of Compose that have a value after them.
const WITH_A_VALUE: [&str; 3] = ["-f", "-s", "--profile"];

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// The names below `services:` of a compose file.
fn services(file: &str) -> BTreeSet<String> {
    let text = read(file);
    let (_, below) = text.split_once("\nservices:\n").unwrap_or_default();
    let lines = below.lines().take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    names.filter(|name| !name.starts_with([' ', '#'])).map(str::to_owned).collect()
}

#[test]
fn lines_for_compose_name_files_services_and_profiles_that_are_there() {
    for typed in [commands("docker compose"), commands("docker-compose")].into_iter().flatten() {
        let files = match typed.values("-f") {
            files if files.is_empty() => vec!["docker-compose.yml"],
            files => files,
        };
        let there: BTreeSet<_> = files.iter().flat_map(|file| services(file)).collect();
        for file in &files {
            typed.assert(!services(file).is_empty(), file);
        }
        for profile in typed.values("--profile") {
            typed.assert(files.iter().any(|file| read(file).contains(&format!("profiles: [{profile}]"))), profile);
        }
        let mut words = typed.words.iter().map(String::as_str).skip_while(|word| !word.ends_with("compose")).skip(1);
        let mut named = Vec::new();
        while let Some(word) = words.next() {
            if WITH_A_VALUE.contains(&word) {
                words.next();
            } else if !word.starts_with('-') && word != "…" {
                named.push(word);
            }
        }
        assert_call(&typed, &named, &there);
    }
}

/// A subcommand of Compose and what it is told of.
fn assert_call(typed: &Typed, named: &[&str], there: &BTreeSet<String>) {
    let [subcommand, of @ ..] = named else { panic!("{}: Compose is told nothing", typed.page) };
    match *subcommand {
        "up" | "kill" | "stop" => of.iter().for_each(|name| typed.assert(there.contains(*name), name)),
        "down" => typed.assert(of.is_empty(), "down is for all"),
        "run" | "exec" => {
            let [service, command @ ..] = of else { panic!("{}: {subcommand} of what?", typed.page) };
            typed.assert(there.contains(*service), service);
            let words = [&["auth-service"], command].concat();
            typed.assert(*service != "auth-service" || is_understood(&words), "not understood");
        }
        other => typed.assert(false, other),
    }
}

#[test]
fn lines_that_build_images_name_files_targets_and_arguments_that_are_there() {
    for typed in commands("docker build") {
        let file = read(typed.value("--file").unwrap());
        for target in typed.values("--target") {
            typed.assert(file.contains(&format!(" AS {target}\n")), target);
        }
        for argument in typed.values("--build-arg") {
            let (name, _) = argument.split_once('=').unwrap();
            typed.assert(file.contains(&format!("\nARG {name}\n")), name);
        }
        let image = format!("image: {}\n", typed.value("--tag").unwrap());
        typed.assert(read("docker-compose.yml").contains(&image), "no image of the compose file");
    }
}

/// Whether a program takes these words: it reads them all before it heeds the last one. Nothing is known where it is not installed.
fn is_taken(words: &[&str]) -> Option<bool> {
    let [program, words @ ..] = words else { return None };
    let mut called = Command::new(program);
    called.args(words).arg("--help").stdout(Stdio::null()).stderr(Stdio::null());
    Some(called.status().ok()?.success())
}

#[test]
fn docker_and_kubectl_take_the_flags_that_pages_give_them_where_they_are_installed() {
    for start in ["docker build", "kubectl"] {
        for typed in commands(start) {
            // What comes after is for the program in the pod.
            let words: Vec<_> = typed.words.iter().map(String::as_str).take_while(|word| *word != "--").collect();
            typed.assert(is_taken(&words) != Some(false), "not taken");
        }
        let mistaken: Vec<_> = start.split(' ').chain(["--no-such-flag"]).collect();
        assert_ne!(is_taken(&mistaken), Some(true), "{start}");
    }
    assert_ne!(is_taken(&["kubectl", "nonsense"]), Some(true));
}

/// All manifests of Kubernetes, one after the other.
fn manifests() -> String {
    let directories =
        ["deploy/kubernetes/base", "deploy/kubernetes/overlays/production", "deploy/kubernetes/overlays/trial"];
    let files = directories.into_iter().flat_map(|directory| fs::read_dir(root().join(directory)).unwrap());
    let files =
        files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    files.map(|path| read(path) + "\n---\n").collect()
}

/// Whether there is an object of this kind and name.
fn is_object(manifests: &str, kind: &str, name: &str) -> bool {
    let objects = manifests.split("\n---\n");
    let is_named = |object: &str| object.contains(&format!("\n  name: {name}\n"));
    let mut objects = objects.filter(|object| object.contains(&format!("kind: {kind}\n")));
    objects.any(is_named)
}

#[test]
fn lines_for_kubernetes_name_directories_namespaces_objects_and_secrets_that_are_there() {
    let manifests = manifests();
    for typed in commands("kubectl") {
        for directory in typed.values("--kustomize") {
            typed.assert(root().join(directory).join("kustomization.yaml").is_file(), directory);
        }
        for namespace in typed.values("--namespace") {
            typed.assert(is_object(&manifests, "Namespace", namespace), namespace);
        }
        for word in &typed.words {
            for (prefix, kind) in [("deployment/", "Deployment"), ("service/", "Service")] {
                let is_there = word.strip_prefix(prefix).is_none_or(|name| is_object(&manifests, kind, name));
                typed.assert(is_there, word);
            }
        }
        // A pod reads the keys of a secret as files below where it is mounted.
        for literal in typed.values("--from-literal") {
            let (key, _) = literal.split_once('=').unwrap();
            typed.assert(manifests.contains(&format!("/{key}\n")), key);
        }
        if let Some(at) = typed.words.iter().position(|word| word == "--") {
            let words: Vec<_> = typed.words[at + 1..].iter().map(String::as_str).collect();
            typed.assert(is_understood(&words), "not understood");
        }
    }
}
