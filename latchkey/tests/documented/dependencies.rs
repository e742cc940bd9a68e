//! `docs/dependencies.md` says why each library is here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

const PAGE: &str = include_str!("../../../docs/dependencies.md");

/// What a member of the workspace depends on, in the program and in its tests.
fn dependencies(manifest: &Path) -> Vec<String> {
    let manifest: Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    let tables = ["dependencies", "dev-dependencies"].into_iter().filter_map(|name| manifest.get(name));
    tables.filter_map(Value::as_table).flat_map(|table| table.keys().cloned()).collect()
}

#[test]
fn every_library_has_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let workspace: Table = fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap().iter().map(|member| member.as_str().unwrap());
    let members: BTreeSet<_> = members.collect();
    let used = members.iter().flat_map(|member| dependencies(&root.join(member).join("Cargo.toml")));
    let libraries = used.filter(|name| !members.contains(name.as_str()));
    let untold: BTreeSet<_> = libraries.filter(|name| !PAGE.contains(&format!("`{name}`"))).collect();
    assert_eq!(untold, BTreeSet::new());
}
