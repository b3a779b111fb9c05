//! `doorcode documents`: whether a server of this version would run every document of a manifest. It needs no server, no
//! database and no setting, so the build of a frontend can ask it.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;

use super::{
    Format, Outcome,
    print::{self, line},
};
use crate::{
    config::{Manifest, written},
    graphql::{self, Validated},
    http,
};

#[derive(Args)]
pub(super) struct Check {
    /// The manifest: a JSON file of SHA-256 ids and documents.
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn check(Check { file, format }: Check) -> Outcome {
    let manifest = Manifest::read(&file).map_err(|wrong| format!("{} {wrong}", file.display()))?;
    let mut code = ExitCode::SUCCESS;
    for document in look(&manifest).await {
        if !document.problems.is_empty() {
            code = ExitCode::FAILURE;
        }
        document.print(format)?;
    }
    Ok(code)
}

/// A document of a manifest, and what keeps it from running.
pub(super) struct Looked {
    pub(super) id: String,
    operations: Vec<String>,
    pub(super) problems: Vec<String>,
    /// Whether it would not run under any schema.
    pub(super) unfit: bool,
}

/// Looks at every document of a manifest, first whatever the schema is, then with the production schema.
pub(super) async fn look(manifest: &Manifest) -> Vec<Looked> {
    let mut all = Vec::new();
    for (id, text) in manifest.iter() {
        let id = written(id);
        all.push(match http::read_document(text) {
            Ok(document) => {
                let Validated { operations, problems } = graphql::validate(document).await;
                Looked { id, operations, problems, unfit: false }
            }
            Err(problem) => Looked { id, operations: Vec::new(), problems: vec![problem], unfit: true },
        });
    }
    all
}

impl Looked {
    fn print(&self, format: Format) -> Result<(), print::Halt> {
        let Self { id, operations, problems, .. } = self;
        if format.json {
            return print::json(&json!({ "id": id, "operations": operations, "problems": problems }));
        }
        let name = if operations.is_empty() { "without a name".to_owned() } else { operations.join(", ") };
        line(&format!("{}  {id}  {name}", if problems.is_empty() { "runs   " } else { "refused" }))?;
        problems.iter().try_for_each(|problem| line(&format!("         {problem}")))
    }
}
