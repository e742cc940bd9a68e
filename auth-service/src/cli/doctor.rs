//! `auth-service doctor`: whether the configuration, the database and the token store are as they should be, and what to mend.

use service_kit::health::{CheckStatus, Readiness};

use super::Failed;
use crate::startup::Service;
use crate::stores::{Finding, Severity};

/// Prints one line for each thing looked at, and fails if one of them must be mended. A configuration or a database that
/// cannot be opened at all was told before.
pub(super) async fn run(service: &Service) -> Result<(), Failed> {
    println!("ok       the configuration can be used, and the database schema is up to date");
    let are_parts_well = tell_parts(&service.health().readiness().await);
    let state = service.state();
    let are_findings_harmless = match state.sessions.inspect(state.clock.as_ref()).await {
        Ok(findings) => tell_findings(&findings),
        Err(error) => {
            println!("problem  the token store cannot be looked at: {error}");
            false
        }
    };
    if are_parts_well && are_findings_harmless { Ok(()) } else { Err(Failed::unwell()) }
}

fn tell_parts(readiness: &Readiness) -> bool {
    for (name, check) in &readiness.checks {
        match check.status {
            CheckStatus::Up => println!("ok       {name} answers in {:.1} ms", check.latency_ms),
            CheckStatus::Down => println!("problem  {name} does not answer"),
        }
    }
    readiness.checks.values().all(|check| check.status == CheckStatus::Up)
}

fn tell_findings(findings: &[Finding]) -> bool {
    for Finding { severity, what, advice } in findings {
        let word = if *severity == Severity::Problem { "problem" } else { "warning" };
        println!("{word}  {what}\n         {advice}");
    }
    findings.iter().all(|finding| finding.severity != Severity::Problem)
}
