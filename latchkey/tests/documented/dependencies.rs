//! `docs/dependencies.md` says why each library is here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

const PAGE: &str = include_str!("../../../docs/dependencies.md");

fn manifest(directory: &Path) -> Table {
    fs::read_to_string(directory.join("Cargo.toml")).unwrap().parse().unwrap()
}

/// What a member of the workspace depends on, in the program and in its tests.
fn dependencies(manifest: &Table) -> Vec<String> {
    let tables = ["dependencies", "dev-dependencies"].into_iter().filter_map(|name| manifest.get(name));
    tables.filter_map(Value::as_table).flat_map(|table| table.keys().cloned()).collect()
}

#[test]
fn every_library_has_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let workspace = manifest(root);
    let members = workspace["workspace"]["members"].as_array().unwrap().iter();
    let members: Vec<_> = members.map(|member| manifest(&root.join(member.as_str().unwrap()))).collect();
    let own: BTreeSet<_> = members.iter().map(|member| member["package"]["name"].as_str().unwrap()).collect();
    let libraries = members.iter().flat_map(dependencies).filter(|name| !own.contains(name.as_str()));
    let untold: BTreeSet<_> = libraries.filter(|name| !PAGE.contains(&format!("`{name}`"))).collect();
    assert_eq!(untold, BTreeSet::new());
}
