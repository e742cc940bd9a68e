//! A password that is asked for on a terminal.

use rstest::rstest;
use system_tests::people::Person;
use system_tests::site::Storage::{self, Embedded};
use system_tests::terminal::Terminal;

use super::{DONE, PASSWORD, REFUSED, Scene};

const FIRST: &str = "New password: ";
const AGAIN: &str = "Once more: ";

#[rstest]
#[tokio::test]
async fn a_password_is_asked_for_twice_and_never_shown(#[values(Embedded)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let new = Person::invent();
    for (again, code, said, login) in [
        ("another one, by a slip", REFUSED, "the two passwords differ", 401),
        (PASSWORD, DONE, new.username.as_str(), 200),
    ] {
        let mut terminal = Terminal::start(&scene.program, &["users", "add", &new.username, &new.email]);
        terminal.answer(FIRST, PASSWORD).await;
        terminal.answer(AGAIN, again).await;
        let (status, screen) = terminal.ended().await;
        assert_eq!(status.code(), Some(code), "{screen}");
        assert!(screen.contains(said), "{screen}");
        assert!(!screen.contains(PASSWORD) && !screen.contains(again), "a password is shown: {screen}");
        assert_eq!(scene.login(&new, PASSWORD).await, login);
    }
}
