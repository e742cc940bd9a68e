//! What a program says it is: `--version`, its log, its metrics.

use std::sync::LazyLock;

/// The version that all programs of the workspace share, with the commit it was built from where the build was told of one in
/// `LATCHKEY_COMMIT`, as that of the images is: `0.1.0 (9f3c2ab…)`.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> =
        LazyLock::new(|| told(env!("CARGO_PKG_VERSION"), option_env!("LATCHKEY_COMMIT").unwrap_or_default()));
    &VERSION
}

fn told(version: &str, commit: &str) -> String {
    if commit.is_empty() { version.to_owned() } else { format!("{version} ({commit})") }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn the_commit_is_told_where_it_is_known() {
        assert_eq!(told("1.2.3", ""), "1.2.3");
        assert_eq!(told("1.2.3", "9f3c2ab"), "1.2.3 (9f3c2ab)");
    }
}
