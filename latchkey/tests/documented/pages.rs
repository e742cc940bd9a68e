//! The pages lead to each other and to files that there are, and name tests that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every page that a user reads, with its path from the root.
pub(crate) fn pages() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let top = ["README.md", "ARCHITECTURE.md"].map(|name| root().join(name));
    docs.chain(top).map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// A page without its fenced blocks, which may hold brackets of any kind.
pub(crate) fn prose(page: &str) -> String {
    page.split("\n```").step_by(2).collect()
}

/// Where the links of a page lead.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let after = prose.split("](").skip(1);
    after.filter_map(|text| text.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// The anchors of a page's headings, as they are made of them where pages are shown.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    let anchor = |heading: String| {
        let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.chars().filter(|letter| letter.is_alphanumeric() || ['-', '_'].contains(letter)).collect()
    };
    headings.into_iter().map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut followed = 0;
    for (path, page) in pages() {
        for link in links(&page).into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let is_there = target.exists()
                && (anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor));
            followed += 1;
            if !is_there {
                broken.push(format!("{}: {link}", path.file_name().unwrap().display()));
            }
        }
    }
    assert!(followed > 50, "only {followed} links were found");
    assert_eq!(broken, Vec::<String>::new());
}

/// Whatever is set in backticks and begins with a folder of the repository is a path in it.
#[test]
fn every_path_that_a_page_names_is_there() {
    let mut missing = Vec::new();
    let mut found = 0;
    for (page, text) in pages() {
        let prose = prose(&text);
        for path in prose.split('`').skip(1).step_by(2) {
            let Some((folder, _)) = path.split_once('/') else { continue };
            let is_pattern = path.contains(['*', '{', '<', ' ', '…']);
            let is_built = path.contains("/dist/");
            if is_pattern || is_built || ["", "target", "data"].contains(&folder) || !root().join(folder).is_dir() {
                continue;
            }
            found += 1;
            if !root().join(path).exists() {
                missing.push(format!("{}: {path}", page.file_name().unwrap().display()));
            }
        }
    }
    assert!(found > 40, "only {found} paths were found");
    assert_eq!(missing, Vec::<String>::new());
}

/// Without one, rows are shown as text full of bars: an empty line in the middle of a table is enough.
#[test]
fn every_table_has_a_head() {
    let mut headless = Vec::new();
    for (path, page) in pages() {
        let lines: Vec<_> = prose(&page).lines().map(str::to_owned).collect();
        let is_row = |line: &String| line.starts_with("| ");
        for (before, pair) in lines.iter().zip(lines[1..].windows(2)) {
            if is_row(&pair[0]) && !is_row(before) && !pair[1].starts_with("| ---") {
                headless.push(format!("{}: {}", path.file_name().unwrap().display(), pair[0]));
            }
        }
    }
    assert_eq!(headless, Vec::<String>::new());
}

/// The sources of all tests, put together.
fn sources(directory: &Path, into: &mut String) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        let is_left_out = ["target", "node_modules", "dist", ".git"].iter().any(|left_out| name == *left_out);
        if entry.file_type().unwrap().is_dir() {
            if !is_left_out {
                sources(&path, into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "ts") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_tests_that_hold_a_requirement_exist() {
    let page = fs::read_to_string(root().join("docs/standards.md")).unwrap();
    let (_, page) = page.split_once("## OWASP").unwrap();
    let mut all = String::new();
    sources(&root(), &mut all);
    let last_cells = page.lines().filter_map(|line| line.split('|').nth(4));
    let mut held = 0;
    for name in last_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
        held += 1;
        assert!(
            all.contains(&format!("fn {name}(")) || all.contains(&format!("test('{name}'")),
            "there is no test {name}"
        );
    }
    assert!(held > 30, "only {held} tests are named");
}
