//! `doorcode doctor`: prints the findings of all checks.

use std::process::ExitCode;

use serde_json::json;

use super::{
    Format, Outcome, flags_of_environment,
    print::{self, CommandError, line},
};
use crate::doctor::finding::{Finding, State};

pub(super) async fn examine(format: Format) -> Outcome {
    let findings = crate::doctor::examine(flags_of_environment()).await;
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let [well, skipped, warnings, problems] = [State::Ok, State::Skipped, State::Warning, State::Problem].map(count);
    let code = if problems > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    let print_all = || {
        if format.json {
            findings.iter().try_for_each(object)?;
            return print::json(&json!({ "ok": well, "skipped": skipped, "warnings": warnings, "problems": problems }));
        }
        let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
        findings.iter().try_for_each(|finding| row(finding, width))?;
        line(&summary(problems, warnings))
    };
    match print_all() {
        // The exit code is still useful if the reader closes the pipe.
        Ok(()) | Err(CommandError::HungUp) => Ok(code),
        Err(failed) => Err(failed),
    }
}

fn object(finding: &Finding) -> Result<(), CommandError> {
    let Finding { check, state, seen, advice } = finding;
    print::json(&json!({ "check": check, "state": state.as_str(), "seen": seen, "advice": advice }))
}

/// Prints a finding as text, with its advice on the next line.
fn row(finding: &Finding, width: usize) -> Result<(), CommandError> {
    let Finding { check, state, seen, advice } = finding;
    line(&format!("{:<7}  {check:<width$}  {seen}", state.as_str()))?;
    advice.as_ref().map_or(Ok(()), |advice| line(&format!("{:9}{:width$}  -> {advice}", "", "")))
}

fn summary(problems: usize, warnings: usize) -> String {
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    match (problems, warnings) {
        (0, 0) => "no problems found".to_owned(),
        (0, _) => format!("no problems found, {}", count(warnings, "warning")),
        _ => format!("{}, {}", count(problems, "problem"), count(warnings, "warning")),
    }
}
