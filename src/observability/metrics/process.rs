//! Standard Prometheus process metrics, read from `/proc` at each scrape. Systems without `/proc` omit them.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// Collects the process metrics at each scrape.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name: &str, help: &str, value: Option<f64>| match value {
            Some(value) => {
                ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
            }
            None => Ok(()),
        };
        let stat = Stat::read();
        gauge("process_resident_memory_bytes", "Resident memory", resident())?;
        gauge("process_open_fds", "Open files and connections", open_files())?;
        gauge("process_max_fds", "Maximum number of open files and connections", most_files().map(f64::from))?;
        gauge(
            "process_start_time_seconds",
            "Start time of the process, in seconds since 1970",
            stat.as_ref().and_then(Stat::started),
        )?;
        if let Some(stat) = &stat {
            let help = "CPU time used by the process";
            let cpu = encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
            ConstCounter::new(stat.seconds).encode(cpu)?;
        }
        Ok(())
    }
}

/// Times from `/proc/self/stat`, in seconds.
struct Stat {
    seconds: f64,
    since_boot: f64,
}

impl Stat {
    fn read() -> Option<Self> {
        let text = fs::read_to_string("/proc/self/stat").ok()?;
        // The program name is in parentheses and may contain any character.
        let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
        let second = ticks_per_second();
        Some(Self { seconds: (ticks(11)? + ticks(12)?) / second, since_boot: ticks(19)? / second })
    }

    fn started(&self) -> Option<f64> {
        let boot = fs::read_to_string("/proc/stat").ok()?;
        let boot: f64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        Some(boot + self.since_boot)
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is a hundred")]
fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? * 1_024.0)
}

fn open_files() -> Option<f64> {
    // The count includes the handle of the directory that is being read.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u32::try_from(open).ok().map(f64::from)
}

/// Returns the open file limit of this process. `None` if the limit is unlimited or unknown.
pub fn most_files() -> Option<u32> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_this_process_are_plausible() {
        assert!(resident().unwrap() > 1e6);
        assert!(open_files().unwrap() >= 3.0);
        assert!(f64::from(most_files().unwrap()) >= open_files().unwrap());
        let stat = Stat::read().unwrap();
        assert!(stat.seconds >= 0.0);
        assert!(stat.started().unwrap() > 1.7e9);
    }
}
