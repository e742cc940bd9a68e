//! What several targets need.

/// A piece of a text in another's place: so many bytes from `at` on. The text is ASCII.
pub fn replaced(text: &str, at: u16, length: u8, by: &str) -> String {
    let at = usize::from(at) % text.len();
    let end = (at + usize::from(length)).min(text.len());
    format!("{}{by}{}", &text[..at], &text[end..])
}
