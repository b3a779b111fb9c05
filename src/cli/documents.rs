//! `doorcode documents`: checks a manifest of trusted documents against this version. Needs no server, database or
//! settings, so that frontend builds can use it.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;

use super::{
    Format, Outcome,
    print::{self, line},
};
use crate::{
    graphql::{self, Validated},
    settings::{Manifest, written},
};

#[derive(Args)]
pub(super) struct Check {
    /// Manifest: a JSON file of SHA-256 ids and documents.
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

pub(super) fn check(Check { file, format }: Check) -> Outcome {
    let manifest = Manifest::read(&file).map_err(|wrong| format!("{} {wrong}", file.display()))?;
    let mut code = ExitCode::SUCCESS;
    for document in check_all(&manifest) {
        if !document.problems.is_empty() {
            code = ExitCode::FAILURE;
        }
        document.print(format)?;
    }
    Ok(code)
}

/// A document of a manifest, and the problems that prevent it from running.
pub(super) struct CheckedDocument {
    pub(super) id: String,
    operations: Vec<String>,
    pub(super) problems: Vec<String>,
    /// True if no schema could run the document.
    pub(super) unfit: bool,
}

/// Checks every document of a manifest against the production schema.
pub(super) fn check_all(manifest: &Manifest) -> Vec<CheckedDocument> {
    let texts: Vec<_> = manifest.iter().collect();
    let checked = graphql::validate(texts.iter().map(|(_, text)| *text));
    let documents = texts.iter().zip(checked).map(|((id, _), Validated { operations, problems, unfit })| {
        CheckedDocument { id: written(id), operations, problems, unfit }
    });
    documents.collect()
}

impl CheckedDocument {
    fn print(&self, format: Format) -> Result<(), print::CommandError> {
        let Self { id, operations, problems, .. } = self;
        if format.json {
            return print::json(&json!({ "id": id, "operations": operations, "problems": problems }));
        }
        let name = if operations.is_empty() { "anonymous".to_owned() } else { operations.join(", ") };
        line(&format!("{}  {id}  {name}", if problems.is_empty() { "runs   " } else { "refused" }))?;
        problems.iter().try_for_each(|problem| line(&format!("         {problem}")))
    }
}
