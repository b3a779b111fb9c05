//! Raw data: one file of JSON lines for each part of the measurements, which the report is written from. The first line
//! says what was measured where.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::{counts::Counts, listeners::Heard, measure::Run, stack::Stack};

/// One line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub(crate) enum Record {
    About(About),
    Run(Run),
    /// A flow that could not be measured, and why.
    Refused {
        flow: String,
        connections: usize,
        why: String,
    },
    Start(Start),
    Counts(Counts),
    Allocations(Allocations),
    Crowd(Crowd),
    Heard(Heard),
    Memory(Sample),
}

/// What was measured, where, and with which versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct About {
    /// Day of the measurement.
    pub(crate) day: String,
    /// Commit of the tree that the measured binary is in.
    pub(crate) commit: String,
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    /// MiB.
    pub(crate) memory: u64,
    /// Bytes of the measured binary.
    pub(crate) binary: u64,
    pub(crate) versions: BTreeMap<String, String>,
    /// Seconds of a measurement.
    pub(crate) seconds: u64,
    pub(crate) pairs: u8,
}

/// One start of the service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// Milliseconds until it was ready.
    pub(crate) ms: f64,
    /// MiB soon after, without requests.
    pub(crate) idle: f64,
}

/// Allocations of one operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Allocations {
    pub(crate) flow: String,
    pub(crate) each: f64,
}

/// Rows that were loaded before growth was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Crowd {
    pub(crate) system: String,
    /// Users, and as many devices, sessions and audit events.
    pub(crate) people: u64,
    /// MiB of the database.
    pub(crate) size: f64,
    pub(crate) seconds: f64,
}

/// Memory of the service at a time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Seconds since the load began.
    pub(crate) at: f64,
    /// Resident MiB.
    pub(crate) memory: f64,
}

/// The file of a part while it is measured. It replaces the old one when the part is complete.
pub(crate) struct Raw {
    path: PathBuf,
    file: fs::File,
}

impl Raw {
    pub(crate) fn create(folder: &Path, part: &str, about: About) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let path = path(folder, part);
        let mut raw = Self { file: fs::File::create(path.with_extension("partial"))?, path };
        raw.write(&Record::About(about))?;
        Ok(raw)
    }

    pub(crate) fn write(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        Ok(self.file.write_all(&line)?)
    }

    pub(crate) fn runs(&mut self, runs: Vec<Run>) -> Result<()> {
        runs.into_iter().try_for_each(|run| self.write(&Record::Run(run)))
    }

    pub(crate) fn finish(self) -> Result<()> {
        Ok(fs::rename(self.path.with_extension("partial"), &self.path)?)
    }
}

fn path(folder: &Path, part: &str) -> PathBuf {
    folder.join(format!("{part}.jsonl"))
}

/// The records of a part, or none if it was not measured.
pub(crate) fn read(folder: &Path, part: &str) -> Result<Vec<Record>> {
    let path = path(folder, part);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(Vec::new()) };
    text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("{}: {line}", path.display()))).collect()
}

impl About {
    pub(crate) async fn now(stack: &Stack, program: &Path, seconds: u64, pairs: u8) -> Result<Self> {
        let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once([':', '=']).map(|(_, value)| value.trim().trim_matches('"').to_owned()).unwrap_or_default()
        };
        let memory = field(&file("/proc/meminfo"), "MemTotal");
        let memory: u64 = memory.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or_default();
        let row = stack.admin.query_one("SHOW server_version", &[]).await?;
        let postgres: String = row.get(0);
        let mut versions = BTreeMap::from([
            ("Linux".to_owned(), file("/proc/sys/kernel/osrelease").trim().to_owned()),
            ("PostgreSQL".to_owned(), postgres.split(' ').next().unwrap_or_default().to_owned()),
            ("Redis".to_owned(), output("redis-server", &["--version"])),
            ("Rust".to_owned(), output("rustc", &["--version"])),
            ("Node.js".to_owned(), output("node", &["--version"])),
            ("Python".to_owned(), output("/usr/bin/python3", &["--version"])),
        ]);
        versions.extend(peer_versions());
        // Documents, such as the results of the parts before, do not change what is measured.
        let git = |arguments: &[&str]| output_in("git", arguments, program.parent().unwrap_or(Path::new(".")));
        let changes = git(&["status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/docs"]);
        let commit = git(&["rev-parse", "--short=12", "HEAD"]);
        Ok(Self {
            day: Utc::now().format("%Y-%m-%d").to_string(),
            commit: if changes.is_empty() { commit } else { format!("{commit} with changes") },
            cpu: field(&file("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism()?.get(),
            memory: memory / 1_024,
            binary: fs::metadata(program)?.len(),
            versions,
            seconds,
            pairs,
        })
    }
}

/// The first word of a program's output that looks like a version.
fn output(program: &str, arguments: &[&str]) -> String {
    let text = output_of(program, arguments);
    let words = text.split([' ', '=']).map(|word| word.trim_start_matches('v').trim());
    let mut numbers = words.filter(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    numbers.next().unwrap_or_default().to_owned()
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    output_in(program, arguments, Path::new(env!("CARGO_MANIFEST_DIR")))
}

fn output_in(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// The versions that the lock files of the peers pin.
fn peer_versions() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let mut versions = BTreeMap::new();
    for (file, names) in [
        ("fastapi/requirements.txt", ["fastapi", "SQLAlchemy", "asyncpg"].as_slice()),
        ("django-allauth/requirements.txt", &["Django", "django-allauth"]),
    ] {
        let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
        let pinned = text.lines().filter_map(|line| line.split_once("=="));
        versions.extend(
            pinned.filter(|(name, _)| names.contains(name)).map(|(name, at)| (name.to_owned(), at.trim().to_owned())),
        );
    }
    let package = fs::read_to_string(folder.join("better-auth/package.json")).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap_or_default();
    if let Some(version) = package["dependencies"]["better-auth"].as_str() {
        versions.insert("better-auth".to_owned(), version.to_owned());
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        let versions = peer_versions();
        let (day, commit, cpu) = ("2026-11-29".to_owned(), "abc".to_owned(), "a processor".to_owned());
        About { day, commit, cpu, cores: 2, memory: 1, binary: 1, versions, seconds: 1, pairs: 5 }
    }

    #[test]
    fn a_part_that_was_not_completed_leaves_the_old_data() {
        let folder = tempfile::tempdir().unwrap();
        let mut raw = Raw::create(folder.path(), "memory", about()).unwrap();
        raw.write(&Record::Memory(Sample { at: 1.0, memory: 30.0 })).unwrap();
        raw.finish().unwrap();
        drop(Raw::create(folder.path(), "memory", about()).unwrap());
        let records = read(folder.path(), "memory").unwrap();
        assert!(matches!(records.as_slice(), [Record::About(_), Record::Memory(_)]), "{records:?}");
        assert!(read(folder.path(), "growth").unwrap().is_empty(), "a part that was never measured has no records");
    }

    #[test]
    fn every_peer_has_a_version() {
        let versions = peer_versions();
        for name in ["better-auth", "fastapi", "SQLAlchemy", "asyncpg", "Django", "django-allauth"] {
            assert!(versions.contains_key(name), "{name}: {versions:?}");
        }
    }
}
