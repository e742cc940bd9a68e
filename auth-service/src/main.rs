//! auth-service, as a program.

use std::process::ExitCode;

use auth_service::cli;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    cli::main().await
}
