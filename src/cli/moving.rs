//! `doorcode user import` and `doorcode user export`: moves users in and out, with their passwords.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Seek as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use indicatif::ProgressBar;

use super::{
    Outcome, build,
    print::{CommandError, complain, line, style},
    publish_events,
    stop::ExitOnSignal,
    user::RoleName,
};
use crate::{
    app::App,
    domain::{
        access::Shell,
        user::{
            import::{self, Options, Problem, Summary},
            move_out,
        },
    },
};

#[derive(Args)]
pub(super) struct Import {
    /// The file: one JSON object a line, with `email` and, if known, `name`, `role`, `verified`, `passwordHash`,
    /// `externalId`, `locale` and `createdAt`.
    file: PathBuf,
    /// Apply the file if it has no problems. Without this, the command only says what it would do.
    #[arg(long)]
    apply: bool,
    /// Replace the name, role, language and password of accounts that exist by those of their rows. A replaced password
    /// signs its user out. Without this, the import only stores the `externalId` of an account that exists.
    #[arg(long)]
    replace: bool,
    /// Highest role that a row may have.
    #[arg(long, value_name = "ROLE", value_enum, default_value_t = RoleName::User)]
    max_role: RoleName,
}

#[derive(Args)]
pub(super) struct Export {
    /// The file to write. It must not exist.
    file: PathBuf,
}

const READ_BUFFER: usize = 1024 * 1024;

pub(super) async fn import(Import { file, apply, replace, max_role }: Import) -> Outcome {
    let failed = |error: io::Error| format!("cannot read {}: {error}", file.display());
    // Before it is opened, because opening a pipe waits for its writer.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(
            format!("{} is no regular file: it is read twice, so write it to disk first", file.display()).into()
        );
    }
    let mut opened = File::open(&file).map_err(failed)?;
    let app = build().await?;
    let (shell, options) = (Shell::of(&app), Options { replace, max_role: max_role.into() });
    // Both bars are hidden unless standard error is a terminal.
    let bar = bar(metadata.len(), "checking {wide_bar} {bytes} of {total_bytes}, {eta} left");
    let mut printed = Ok(());
    let report = |problem: Problem| {
        if printed.is_ok() {
            printed = bar.suspend(|| line(&problem.to_string()));
        }
    };
    let input = BufReader::with_capacity(READ_BUFFER, bar.wrap_read(&opened));
    let checked = import::check(&app.ctx, shell, input, &std::env::temp_dir(), options, report).await;
    bar.finish_and_clear();
    printed?;
    let checked = checked?;
    if checked.problems > 0 {
        let what =
            if checked.problems == 1 { "1 problem".to_owned() } else { format!("{} problems", checked.problems) };
        complain(&format!("{}: {what} in {} rows, so nothing was imported", file.display(), checked.rows));
        return Ok(ExitCode::FAILURE);
    }
    if !apply {
        line(&describe(&checked, "would be"))?;
        line("Nothing was changed. Add --apply to import these rows.")?;
        return Ok(ExitCode::SUCCESS);
    }
    // The same file, even if its name is another one's by now.
    opened.rewind().map_err(failed)?;
    let bar = self::bar(metadata.len(), "importing {wide_bar} {bytes} of {total_bytes}, {eta} left");
    let input = BufReader::with_capacity(READ_BUFFER, bar.wrap_read(&opened));
    let applied = import::apply(&app.ctx, shell, input, options).await;
    bar.finish_and_clear();
    publish_events(&app).await;
    line(&describe(&applied?, "were"))?;
    Ok(ExitCode::SUCCESS)
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    bar.set_style(style(template));
    bar
}

fn describe(summary: &Summary, verb: &str) -> String {
    let Summary { rows, created, changed, unchanged, passwords, unverified, .. } = summary;
    let left_out = match unverified {
        0 => String::new(),
        count => format!(" {count} hashes {verb} left out, because their rows are not `verified`."),
    };
    format!(
        "{rows} rows: {created} accounts {verb} created, {changed} changed, {unchanged} left as they are; {passwords} \
         passwords {verb} stored.{left_out}"
    )
}

pub(super) async fn export(Export { file }: Export, on_signal: ExitOnSignal) -> Outcome {
    if file.symlink_metadata().is_ok() {
        return Err(exists(&file));
    }
    let app = build().await?;
    let failed = |error: io::Error| format!("cannot write {}: {error}", file.display());
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    // Only the owner can read it from the start, and it has its name once it is complete. Until then, it is deleted
    // when the command ends, so a signal must not end the process at once.
    let mut stop = on_signal.into_stop()?;
    let unfinished = tempfile::Builder::new().prefix(".doorcode-export-").tempfile_in(folder).map_err(failed)?;
    let exported = tokio::select! {
        exported = write(&app, unfinished.as_file()) => exported?,
        _ = stop.wait_for(|stop| *stop) => return Err("interrupted, so nothing was exported".to_owned().into()),
    };
    unfinished.as_file().sync_all().map_err(failed)?;
    unfinished.persist_noclobber(&file).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => exists(&file),
        _ => failed(error.error).into(),
    })?;
    publish_events(&app).await;
    line(&format!("{}: {} users, {} with a password", file.display(), exported.users, exported.passwords))?;
    if exported.left_out > 0 {
        complain(&format!("{} suspended or deleted users were left out", exported.left_out));
    }
    if exported.unopened > 0 {
        complain(&format!(
            "{} passwords are missing, because no secret in DOORCODE_SECRET opens them",
            exported.unopened
        ));
    }
    complain(&format!(
        "{} has password hashes in plain text, which anyone who has them can try to guess: keep it to yourself, and \
         delete it when you have moved",
        file.display()
    ));
    Ok(ExitCode::SUCCESS)
}

async fn write(app: &App, file: &File) -> Result<move_out::Exported, CommandError> {
    let shell = Shell::of(app);
    let bar = bar(move_out::count(&app.ctx, shell).await?, "exporting {wide_bar} {pos} of {len}, {eta} left");
    let exported = move_out::export(&app.ctx, shell, BufWriter::new(file), |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    Ok(exported?)
}

fn exists(file: &Path) -> CommandError {
    CommandError::Failed(format!("{} exists: name another file, so that no export is overwritten", file.display()))
}
