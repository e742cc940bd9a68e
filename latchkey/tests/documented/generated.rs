//! Pages and documents that are made from the code: compared with the copy in the repository, or written anew.

use std::fs;
use std::path::Path;

/// Set by `make generated`: what is made is written, not compared.
const RENEW: &str = "LATCHKEY_TEST_RENEW";

fn path(copy: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(copy)
}

/// Holds a whole file, by its path from the root, to what is made.
pub(crate) fn hold(copy: &str, made: &str) {
    if std::env::var_os(RENEW).is_some() {
        fs::write(path(copy), made).unwrap();
    }
    let is_current = fs::read_to_string(path(copy)).unwrap_or_default() == made;
    assert!(is_current, "{copy} is not what the code says: `make generated` renews it");
}

/// Holds what stands between two lines of a page to what is made.
pub(crate) fn hold_between(copy: &str, [from, to]: [&str; 2], made: &str) {
    let page = fs::read_to_string(path(copy)).unwrap();
    let (before, rest) = page.split_once(&format!("{from}\n")).expect(from);
    let (_, after) = rest.split_once(&format!("{to}\n")).expect(to);
    hold(copy, &format!("{before}{from}\n{made}{to}\n{after}"));
}
