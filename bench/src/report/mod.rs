//! `bench report`: writes the document and its charts from the raw data. It measures nothing, so it can be run again.

mod aims;
mod chart;
mod data;
mod tables;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use self::data::Data;

/// Where raw data and charts are kept.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("docs").join("benchmarks")
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the raw data. Charts are written into it, and the document beside it
    #[arg(long, default_value_os_t = folder())]
    folder: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    write(&arguments.folder)
}

const INTRODUCTION: &str = "# Benchmarks

<!-- Written by `bench report` from the raw data in `docs/benchmarks/`. Do not edit. -->

Figures of different machines cannot be compared, and those of one machine change from day to day. So speed is stated as
ratios: two services on the same PostgreSQL and the same Redis, in turn, and the median of all pairs. Above 1, Doorcode
is faster. `cargo run --release -p bench -- all` measures everything again and writes this page;
[CONTRIBUTING.md](../CONTRIBUTING.md) has the commands for its parts.

- **floor** is a hand-written server with the same SQL statements, Redis calls, commits and signatures, without GraphQL,
  without an ORM and without the checks that make a service safe.
- **better-auth**, **FastAPI** and **django-allauth** run as many processes as there are cores, with production
  settings. They do less than Doorcode: [bench/peers/README.md](../bench/peers/README.md) says what each leaves out.
- PostgreSQL keeps its default durability. The load generator and the mail server run on the same cores.
- `me` reads the caller's id, address and role. `sign-in` requests a code, takes it from the mail and enters it.
  `password` signs in with a password on a known device. `users` and `audit` read 50 rows. `health` is the check for
  readiness.

";

/// Writes the document beside a folder of raw data, and the charts into it.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let data = Data::read(folder)?;
    ensure!(!data.abouts().is_empty(), "{} has no raw data; `bench measure` writes it", folder.display());
    let name = folder.file_name().context("a folder without a name")?.to_string_lossy();
    let mut document = INTRODUCTION.to_owned();
    for section in tables::sections(&data) {
        writeln!(document, "## {}\n", section.title)?;
        for (file, svg) in section.charts {
            fs::write(folder.join(format!("{file}.svg")), svg)?;
            writeln!(document, "![{}]({name}/{file}.svg)\n", section.title)?;
        }
        document.push_str(section.text.trim_end());
        document.push_str("\n\n");
    }
    let path = folder.with_extension("md");
    fs::write(&path, format!("{}\n", document.trim_end()))?;
    println!("wrote {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(system: &str, per_second: f64) -> serde_json::Value {
        json!({ "record": "run", "system": system, "flow": "me", "connections": 64, "rate": null, "seconds": 1.0,
            "operations": 1, "failed": 0, "per_second": per_second,
            "latency": { "p50": 1.0, "p99": 2.0, "p999": 3.0, "max": 4.0 }, "parts": {}, "server_us": 50.0,
            "postgres_us": 20.0, "redis_us": 0.0, "driver_us": 10.0, "driver_share": 0.1, "memory": 30.0,
            "memory_max": 30.0 })
    }

    #[test]
    fn the_page_and_its_charts_are_written_from_raw_data_alone() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("benchmarks");
        assert!(write(&folder).is_err(), "there is nothing to write about");
        fs::create_dir(&folder).unwrap();
        let about = json!({ "record": "about", "day": "2026-11-29", "commit": "abc", "cpu": "a processor", "cores": 2,
            "memory": 4_096, "binary": 1, "versions": { "Linux": "6" }, "seconds": 1, "pairs": 2 });
        let mut lines = vec![about];
        // A pair is a run of each in the order of the file, so the ratios are 0.8 and 0.4.
        lines.extend([run("doorcode", 80.0), run("doorcode", 20.0), run("floor", 100.0), run("floor", 50.0)]);
        let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
        fs::write(folder.join("floor.jsonl"), lines.join("\n")).unwrap();
        write(&folder).unwrap();
        let page = fs::read_to_string(base.path().join("benchmarks.md")).unwrap();
        for text in [
            "| `me` over floor | at least 0.70 | 0.60 | **no** |",
            "| `me` over floor | **0.60** | 0.40 to 0.80 |",
            "An operation takes 50 µs in the service, 20 in PostgreSQL",
            "![In pairs](benchmarks/ratios.svg)",
            "| [floor](benchmarks/floor.jsonl) | abc |",
        ] {
            assert!(page.contains(text), "no {text} in\n{page}");
        }
        assert!(!page.contains("NaN") && !page.contains("## Growth"), "{page}");
        assert!(fs::read_to_string(folder.join("ratios.svg")).unwrap().contains("me over floor"));
    }
}
