use proptest::prelude::*;

use super::*;

#[test]
fn a_title_loses_the_space_around_it_and_keeps_the_space_within() {
    assert_eq!(Title::parse("\u{a0} Water  the ferns\n").unwrap().as_str(), "Water  the ferns");
}

#[test]
fn a_title_may_have_200_characters_of_any_width() {
    for character in ["a", "ß", "🦀"] {
        assert!(Title::parse(&character.repeat(200)).is_ok(), "{character}");
        assert_eq!(Title::parse(&character.repeat(201)), Err("must be at most 200 characters long"), "{character}");
    }
}

#[test]
fn a_title_of_nothing_but_space_is_refused() {
    for text in ["", " ", "\t\r\n", "\u{3000}"] {
        assert_eq!(Title::parse(text), Err("must not be empty"), "{text:?}");
    }
}

#[test]
fn a_title_with_a_control_character_is_refused() {
    for text in ["two\nlines", "a\0b", "a\tb", "\u{7f}x", "a\u{85}b", "\u{1b}[2J"] {
        assert_eq!(Title::parse(text), Err("must be one line without control characters"), "{text:?}");
    }
}

#[test]
fn a_description_is_taken_as_it_is() {
    for text in ["", " \n\t two lines\r\n", &"🦀".repeat(5_000)] {
        assert_eq!(Description::parse(text.to_owned()).unwrap().as_str(), text);
    }
}

#[test]
fn a_description_too_long_or_with_a_zero_character_is_refused() {
    assert_eq!(Description::parse("a".repeat(5_001)), Err("must be at most 5000 characters long"));
    assert_eq!(Description::parse("a\0b".to_owned()), Err("must not have a zero character"));
}

#[test]
fn each_status_is_read_from_its_own_word_alone() {
    for status in [Status::Open, Status::InProgress, Status::Done] {
        assert_eq!(Status::parse(status.as_str()), Ok(status));
    }
    for word in ["", "Open", "in-progress", "inProgress", " done", "cancelled"] {
        assert!(Status::parse(word).is_err(), "{word:?}");
    }
}

proptest! {
    #[test]
    fn a_title_that_is_taken_is_one_line_and_taken_again_as_it_is(text in prop_oneof!["(?s).{0,220}", "\\s{0,3}.{0,205}\\s{0,3}"]) {
        if let Ok(title) = Title::parse(&text) {
            let title = title.as_str();
            prop_assert_eq!(title, text.trim());
            prop_assert!((1..=200).contains(&title.chars().count()) && !title.chars().any(char::is_control));
            prop_assert_eq!(Title::parse(title).map(Title::into_string), Ok(title.to_owned()));
        }
    }

    #[test]
    fn a_description_is_taken_as_it_is_or_not_at_all(text in "(?s).{0,30}", times in 0..300_usize) {
        let text = text.repeat(times);
        let is_good = text.chars().count() <= 5_000 && !text.contains('\0');
        prop_assert_eq!(Description::parse(text.clone()).ok().map(Description::into_string), is_good.then_some(text));
    }

    #[test]
    fn a_word_is_a_status_only_where_that_status_is_written_so(word in "(open|in_progress|done)?[a-zA-Z_ ]{0,2}") {
        if let Ok(status) = Status::parse(&word) {
            prop_assert_eq!(status.as_str(), word);
        }
    }
}
