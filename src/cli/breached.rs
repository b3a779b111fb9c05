//! `doorcode breached build`: makes the file for `DOORCODE_BREACHED_PASSWORDS`. Needs no server, database or settings.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use indicatif::ProgressBar;

use super::{
    Outcome,
    print::{line, style},
};
use crate::domain::credential::password::policy::breached::{BUCKETS, Hashes};

#[derive(Subcommand)]
pub(super) enum BreachedCommand {
    /// Turn a list of SHA-1 hashes into a file for `DOORCODE_BREACHED_PASSWORDS`.
    ///
    /// The list can have any size and order: one hash a line, as 40 hexadecimal digits, with or without a colon and a
    /// count, as in the list of "Have I Been Pwned". The file takes about 2.5 bytes a hash. While it is built, the
    /// folder of OUT also needs 8 bytes a hash for temporary files.
    Build(Files),
}

#[derive(Args)]
pub(super) struct Files {
    /// The list, or `-` for standard input.
    file: PathBuf,
    /// The file to write. An existing one is replaced when the new one is complete.
    out: PathBuf,
}

const READ_BUFFER: usize = 1024 * 1024;

pub(super) fn build(Files { file, out }: Files) -> Outcome {
    let failed = |error: io::Error| format!("cannot read {}: {error}", file.display());
    if fs::canonicalize(&out).is_ok_and(|out| fs::canonicalize(&file).is_ok_and(|file| file == out)) {
        return Err(format!("{} would be replaced: name another file to write", file.display()).into());
    }
    let (list, length): (Box<dyn Read>, _) = if file == Path::new("-") {
        (Box::new(io::stdin()), None)
    } else {
        let list = File::open(&file).map_err(failed)?;
        let length = list.metadata().map_err(failed)?.len();
        (Box::new(list), Some(length))
    };
    // Both bars are hidden unless standard error is a terminal.
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.set_style(style("reading {wide_bar} {bytes} of {total_bytes}, {eta} left"));
    let list = BufReader::with_capacity(READ_BUFFER, bar.wrap_read(list));
    let folder = out.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let hashes = Hashes::read(list, folder);
    bar.finish_and_clear();
    let hashes = hashes.map_err(|wrong| format!("{}: {wrong}", file.display()))?;

    let bar = ProgressBar::new(BUCKETS as u64);
    bar.set_style(style("building {wide_bar} {percent} %, {eta} left"));
    let built = hashes.write(&out, || bar.inc(1));
    bar.finish_and_clear();
    let built = built?;
    let (hashes, megabytes) = (built.hashes, built.bytes.div_ceil(1_000_000));
    line(&format!("wrote {}: {hashes} hashes, {megabytes} MB", out.display()))?;
    Ok(ExitCode::SUCCESS)
}
