//! The sections of the document: tables and charts.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    aims,
    chart::{Axes, Bar, Line, Stack, bars, lines, short, stacks},
    data::{Data, middle},
};
use crate::{flow::Flow, measure::Run, memory, parts::Part};

/// A part of the document.
#[derive(Default)]
pub(super) struct Section {
    pub(super) title: &'static str,
    /// Names of files and their contents.
    pub(super) charts: Vec<(&'static str, String)>,
    pub(super) text: String,
}

const PAIRS: [Part; 6] =
    [Part::Floor, Part::BetterAuth, Part::FastapiPlain, Part::FastapiCareful, Part::DjangoAllauth, Part::Argon2];

/// All sections whose parts were measured.
pub(super) fn sections(data: &Data) -> Vec<Section> {
    let mut sections = vec![
        Section { title: "Aims", text: aims::write(data), ..Section::default() },
        pairs(data),
        loads(data, Part::Servers, "PostgreSQL and Redis", "servers"),
        loads(data, Part::Embedded, "SQLite", "embedded"),
        processor(data),
        costs(data),
        starts(data),
        growth(data),
        curve(data),
        listeners(data),
        machine(data),
    ];
    sections.retain(|section| !section.text.is_empty());
    sections
}

fn flows() -> impl Iterator<Item = &'static str> {
    Flow::ALL.into_iter().map(Flow::name)
}

/// A table with a head. Columns after the first are numbers.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n| --- |{}\n", head.join(" | "), " ---: |".repeat(head.len() - 1));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

fn pairs(data: &Data) -> Section {
    let (mut rows, mut chart) = (Vec::new(), Vec::new());
    for (part, flow) in PAIRS.into_iter().flat_map(|part| flows().map(move |flow| (part, flow))) {
        let Some(pairs) = data.pairs(part, flow) else { continue };
        let ratios = &pairs.compared.ratios;
        let (least, most) =
            ratios.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), ratio| (least.min(*ratio), most.max(*ratio)));
        let cpu = |run: &Run| run.server_us + run.postgres_us + run.redis_us;
        let both = |figure: fn(&Run) -> f64| {
            format!("{} : {}", short(middle(&pairs.ours, figure)), short(middle(&pairs.theirs, figure)))
        };
        rows.push(vec![
            format!("`{flow}` over {}", part.name()),
            format!("**{}**", short(pairs.compared.ratio)),
            format!("{} to {}", short(least), short(most)),
            both(|run| run.per_second),
            format!("{} : {}", short(middle(&pairs.ours, cpu)), short(middle(&pairs.theirs, cpu))),
            both(|run| run.latency.p99),
            both(|run| run.memory),
        ]);
        let (label, aim) = (format!("{flow} over {}", part.name()), aims::of_pairs(part, flow));
        chart.push(Bar { label, value: pairs.compared.ratio, aim });
    }
    if rows.is_empty() {
        return Section::default();
    }
    let head = ["flow", "ratio", "of pairs", "a second", "CPU, µs", "p99, ms", "MiB"];
    let text = format!(
        "{}\nEach pair of figures is Doorcode : the other service. CPU is that of the service, PostgreSQL and Redis for \
         one operation.\n`argon2` computes hashes in one thread and does nothing else; its memory is that of the load \
         generator.\n",
        table(&head, rows.into_iter())
    );
    let svg = bars("Throughput over the other service", "A dashed mark is the aim.", &chart);
    Section { title: "In pairs", charts: vec![("ratios", svg)], text }
}

/// Throughput and latency of one database.
fn loads(data: &Data, part: Part, store: &'static str, file: &'static str) -> Section {
    let runs = data.runs(part);
    if runs.is_empty() {
        return Section::default();
    }
    let row = |run: &&Run| {
        let load = match run.rate {
            Some(_) => format!("{}, half of saturation", run.connections),
            None => run.connections.to_string(),
        };
        let latency = [run.latency.p50, run.latency.p99, run.latency.p999].map(short);
        [vec![format!("`{}`", run.flow), load, short(run.per_second)], latency.to_vec(), vec![short(run.memory)]]
            .concat()
    };
    let head = ["flow", "connections", "a second", "p50, ms", "p99, ms", "p99.9, ms", "MiB"];
    let mut text = table(&head, runs.iter().map(row));
    text.push_str(
        "\nEach connection sends its next request when the last one is answered. At half of saturation, operations \
         start at\na fixed rate, and latency counts from the time at which an operation was due.\n",
    );
    for (_, flow, why) in data.refused().into_iter().filter(|(refused, ..)| *refused == part) {
        let _ = writeln!(text, "\nThe rest of `{flow}` was not measured: {why}.");
    }
    let line = |flow: &'static str| {
        let own = runs.iter().filter(|run| run.flow == flow && run.rate.is_none());
        Line { label: flow.to_owned(), points: own.map(|run| (run.connections as f64, run.per_second)).collect() }
    };
    let title = format!("Operations a second on {store}");
    let axes = Axes { title: &title, x: "connections", marks: vec![1.0, 8.0, 64.0, 512.0], log_x: true, log_y: true };
    let chart = lines(&axes, &flows().map(line).collect::<Vec<_>>());
    let title = if part == Part::Servers { "Load on PostgreSQL and Redis" } else { "Load on SQLite" };
    Section { title, charts: vec![(file, chart)], text }
}

/// Where processor time goes.
fn processor(data: &Data) -> Section {
    let (mut chart, mut rows) = (Vec::new(), Vec::new());
    for (part, store) in [(Part::Servers, "PostgreSQL"), (Part::Embedded, "SQLite")] {
        for flow in flows() {
            // Passwords are measured with fewer connections.
            let run = [64, 4].into_iter().find_map(|number| data.figure(part, flow, Some(number)));
            let Some(run) = run else { continue };
            let parts = vec![run.server_us, run.postgres_us, run.redis_us];
            let cells = parts.iter().chain([&run.driver_us]).map(|part| short(*part));
            rows.push([vec![format!("`{flow}`, {store}")], cells.collect()].concat());
            if flow != "password" {
                chart.push(Stack { label: format!("{flow}, {store}"), parts });
            }
        }
    }
    if rows.is_empty() {
        return Section::default();
    }
    let head = ["flow, database", "service", "PostgreSQL", "Redis", "load generator"];
    let text = format!(
        "{}\nMicroseconds of one core for an operation, at 64 connections, `password` at 4. The chart leaves out \
         `password`,\nwhich is nearly all argon2.\n",
        table(&head, rows.into_iter())
    );
    let svg = stacks("CPU of one operation, µs", &["service", "PostgreSQL", "Redis"], &chart);
    Section { title: "Processor time", charts: vec![("processor", svg)], text }
}

fn costs(data: &Data) -> Section {
    let counts: BTreeMap<&str, _> = data.counts().into_iter().map(|counts| (counts.flow.as_str(), counts)).collect();
    let row = |flow: &'static str| {
        let counts = counts.get(flow);
        let cell = |figure: fn(&crate::counts::Counts) -> f64| {
            counts.map(|counts| format!("{:.1}", figure(counts))).unwrap_or_default()
        };
        let allocations = data.allocations(flow).map(|each| format!("{each:.0}"));
        if counts.is_none() && allocations.is_none() {
            return None;
        }
        Some(vec![
            format!("`{flow}`"),
            cell(|counts| counts.statements),
            cell(|counts| counts.transactions),
            cell(|counts| counts.flushes),
            counts.map(|counts| short(counts.wal_bytes)).unwrap_or_default(),
            cell(|counts| counts.redis_calls),
            cell(|counts| counts.redis_reads),
            allocations.unwrap_or_default(),
        ])
    };
    let rows: Vec<_> = flows().filter_map(row).collect();
    if rows.is_empty() {
        return Section::default();
    }
    let head =
        ["flow", "statements", "transactions", "flushes", "bytes of log", "Redis calls", "Redis trips", "allocations"];
    let text = format!(
        "{}\nAll work of the service while it does one operation after the other on one connection: also that of the \
         worker that\nsends mail. Statements outside of a transaction are not counted as transactions. Flushes and \
         bytes are those of the\nwrite-ahead log. Allocations are counted by jemalloc in a build without optimization.\n",
        table(&head, rows.into_iter())
    );
    Section { title: "Cost of one operation", text, ..Section::default() }
}

fn starts(data: &Data) -> Section {
    let mut rows = Vec::new();
    for (part, store) in [(Part::Servers, "PostgreSQL and Redis"), (Part::Embedded, "SQLite")] {
        let starts = data.starts(part);
        if starts.is_empty() {
            continue;
        }
        let most = data.runs(part).iter().map(|run| run.memory_max).fold(0.0, f64::max);
        let (ms, idle) = (middle(&starts, |start| start.ms), middle(&starts, |start| start.idle));
        rows.push(vec![store.to_owned(), format!("{ms:.0}"), short(idle), short(most)]);
    }
    if rows.is_empty() {
        return Section::default();
    }
    let head = ["database", "ready after, ms", "MiB idle", "MiB at most, under all loads above"];
    let mut text = table(&head, rows.into_iter());
    if let Some((_, about)) = data.abouts().first() {
        let _ = writeln!(text, "\nThe binary has {} MiB.", short(about.binary as f64 / f64::from(1 << 20)));
    }
    Section { title: "Start, memory and size", text, ..Section::default() }
}

fn growth(data: &Data) -> Section {
    let crowds = data.crowds();
    if crowds.len() < 2 {
        return Section::default();
    }
    let sizes: Vec<String> = crowds.iter().map(|crowd| short(crowd.people as f64)).collect();
    let growth: Vec<_> =
        flows().map(|flow| (flow, data.growth(flow))).filter(|(_, points)| !points.is_empty()).collect();
    let row = |(flow, points): &(&str, Vec<(u64, f64)>)| {
        [vec![format!("`{flow}`")], points.iter().map(|(_, ratio)| format!("{ratio:.2}")).collect()].concat()
    };
    let megabytes = crowds.iter().map(|crowd| short(crowd.size));
    let last = [vec!["MiB of the database".to_owned()], megabytes.collect()].concat();
    let head = [vec!["time of an operation, users"], sizes.iter().map(String::as_str).collect()].concat();
    let text = format!(
        "{}\nThe time of an operation with so many users, and as many devices, sessions and audit events, over that \
         with the\nfewest: medians of pairs at 32 connections, `password` at 2. Those who sign in are spread over all \
         users. One\nPostgreSQL with 512 MiB of buffers holds all databases.\n",
        table(&head, growth.iter().map(row).chain([last]))
    );
    let points = |points: &[(u64, f64)]| points.iter().map(|(people, ratio)| (*people as f64, *ratio)).collect();
    let line = |(flow, own): &(&str, Vec<(u64, f64)>)| Line { label: (*flow).to_owned(), points: points(own) };
    let marks = crowds.iter().map(|crowd| crowd.people as f64).collect();
    let axes = Axes {
        title: "Time of an operation over that with the fewest rows",
        x: "users",
        marks,
        log_x: true,
        log_y: false,
    };
    let svg = lines(&axes, &growth.iter().map(line).collect::<Vec<_>>());
    Section { title: "Growth", charts: vec![("growth", svg)], text }
}

fn curve(data: &Data) -> Section {
    let samples = data.samples();
    let Some(run) = data.runs(Part::Memory).into_iter().find(|run| run.rate.is_some()) else {
        return Section::default();
    };
    if samples.len() < 10 {
        return Section::default();
    }
    let text = format!(
        "A mix of `me`, `sign-in` and `refresh` at {} operations a second, 80 % of saturation, for {} seconds. From the \
         second\nfifth of the time to the last, the median changed by {:.1} %.\n",
        short(run.per_second),
        short(run.seconds),
        memory::growth(&samples) * 100.0
    );
    let end = samples.last().map_or(1.0, |sample| sample.at);
    let marks = (0..=5).map(|at| (end / 5.0 * f64::from(at)).round()).collect();
    let axes = Axes { title: "Resident memory, MiB", x: "seconds", marks, log_x: false, log_y: false };
    let points = samples.iter().map(|sample| (sample.at, sample.memory)).collect();
    let svg = lines(&axes, &[Line { label: "doorcode".to_owned(), points }]);
    Section { title: "Memory over time", charts: vec![("memory", svg)], text }
}

fn listeners(data: &Data) -> Section {
    let Some(heard) = data.heard() else { return Section::default() };
    let text = format!(
        "{} WebSockets subscribe to audit events while {} sign-ins a second cause two events each. They received {} of \
         {}\nmessages, half of them within {} ms of the event and 99 % within {} ms. Memory was {} MiB.\n",
        short(heard.listeners as f64),
        short(heard.run.per_second),
        short(heard.deliveries as f64),
        short(heard.events as f64 * heard.listeners as f64),
        short(heard.latency.p50),
        short(heard.latency.p99),
        short(heard.run.memory)
    );
    Section { title: "Events to listeners", text, ..Section::default() }
}

fn machine(data: &Data) -> Section {
    let abouts = data.abouts();
    let Some((_, first)) = abouts.first() else { return Section::default() };
    let mut text = format!(
        "{} cores of {}, {} GiB of memory. {}.\n\n",
        first.cores,
        first.cpu,
        first.memory.div_ceil(1_024),
        first.versions.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", ")
    );
    let head = ["part", "commit", "day", "seconds", "pairs"];
    let row = |(part, about): &(Part, &crate::record::About)| {
        let raw = format!("[{0}](benchmarks/{0}.jsonl)", part.name());
        vec![raw, about.commit.clone(), about.day.clone(), about.seconds.to_string(), about.pairs.to_string()]
    };
    text.push_str(&table(&head, abouts.iter().map(row)));
    text.push_str("\nSeconds are those of one measurement. Each file has one line of JSON for each measurement.\n");
    let missing: Vec<_> = Part::ALL.into_iter().filter(|part| !data.has(*part)).map(Part::name).collect();
    if !missing.is_empty() {
        let _ = writeln!(text, "Not measured: {}.", missing.join(", "));
    }
    Section { title: "Machine, versions and raw data", text, ..Section::default() }
}
