//! What `docs/configuration.md` shows of mistakes is what the program says to them.

use std::fs;

use system_tests::program::Program;

const PAGE: &str = include_str!("../../../docs/configuration.md");

#[tokio::test]
async fn what_is_said_of_mistakes_is_what_the_page_shows() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("c.toml"), "[server]\nport = \"x\"\n").unwrap();
    let said = async |arguments: &[&str], environment: &[(&str, &str)]| {
        let environment = environment.iter().map(|(name, value)| (format!("LATCHKEY_{name}"), (*value).to_owned()));
        let program = Program::new("auth-service", directory.path(), environment.collect());
        let ended = program.run(arguments, "").await;
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        ended.stderr
    };
    let mistakes = [
        said(&[], &[("SERVER__PORTT", "8081")]).await,
        said(&[], &[("TOKENS__ACCESS_TTL", "900")]).await,
        said(&["--config", "c.toml"], &[]).await,
        said(&[], &[("TOKENS__ACCESS_SECRET", "hunter2")]).await,
        said(&[], &[("TOKENS__ACCESS_SECRET_FILE", "/run/secrets/access"), ("TOKENS__ACCESS_SECRET", "hunter2")]).await,
    ];
    let (_, shown) = PAGE.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    assert_eq!(mistakes.concat(), shown);
}
