//! Puts serde's errors into words that never quote what was read. Serde's own messages do: only the parts of them that come from our
//! own types are kept.

/// Says what does not fit a type of ours, and where.
pub(super) fn describe(path: &serde_path_to_error::Path, message: &str) -> String {
    let field = path.to_string();
    let inside = if field == "." { String::new() } else { format!(" in `{field}`") };
    for (kind, says) in [("missing field `", "is missing"), ("duplicate field `", "is there twice")] {
        if let Some((name, _)) = message.strip_prefix(kind).and_then(|rest| rest.split_once('`')) {
            // The path of a field that is there twice ends with its name already.
            let is_named = field.rsplit('.').next() == Some(name);
            return if is_named { format!("`{field}` {says}") } else { format!("`{name}` {says}{inside}") };
        }
    }
    if message.starts_with("unknown field `") {
        return format!("a field{inside} is not known");
    }
    match expectation(message) {
        Some(expected) => format!("`{field}` must be {expected}"),
        None => format!("`{field}` cannot be read"),
    }
}

/// What serde expected, from messages of the form `KIND: WHAT WAS THERE, expected WHAT WE WANT at line …`. What was there is the
/// caller's; what follows the last "expected" is ours.
fn expectation(message: &str) -> Option<&str> {
    let is_standard = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant `"];
    is_standard.iter().find(|kind| message.starts_with(**kind))?;
    let (_, expected) = message.rsplit_once(", expected ")?;
    Some(expected.rsplit_once(" at line ").map_or(expected, |(expected, _)| expected))
}
