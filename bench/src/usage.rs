//! What processes use, as the kernel counts it in `/proc`.

use std::{collections::HashMap, fs, time::Duration};

use anyhow::{Context as _, Result};

/// CPU time of the processes that take part in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cpu {
    pub(crate) server: Duration,
    pub(crate) postgres: Duration,
    pub(crate) redis: Duration,
    pub(crate) driver: Duration,
}

/// The processes that take part in a run.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    pub(crate) server: Vec<u32>,
    pub(crate) postgres: u32,
    pub(crate) redis: u32,
}

impl Processes {
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        let tree = Tree::read()?;
        let sum = |roots: &[u32]| roots.iter().map(|root| tree.cpu(*root)).sum();
        Ok(Cpu {
            server: sum(&self.server),
            postgres: tree.cpu(self.postgres),
            redis: tree.cpu(self.redis),
            driver: tree.own(std::process::id()),
        })
    }

    /// Resident memory of the server now and at most, in KiB.
    pub(crate) fn memory(&self) -> Result<(u64, u64)> {
        let tree = Tree::read()?;
        let mut sums = (0, 0);
        for pid in self.server.iter().flat_map(|root| tree.with_children(*root)) {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let field = |name: &str| {
                let line = status.lines().find(|line| line.starts_with(name))?;
                line.split_whitespace().nth(1)?.parse::<u64>().ok()
            };
            sums.0 += field("VmRSS:").unwrap_or_default();
            sums.1 += field("VmHWM:").unwrap_or_default();
        }
        Ok(sums)
    }
}

impl Cpu {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            postgres: self.postgres.saturating_sub(before.postgres),
            redis: self.redis.saturating_sub(before.redis),
            driver: self.driver.saturating_sub(before.driver),
        }
    }
}

struct Stat {
    parent: u32,
    /// Ticks of the process itself, and of its children that have ended.
    own: u64,
    ended: u64,
}

struct Tree {
    stats: HashMap<u32, Stat>,
    tick: Duration,
}

impl Tree {
    fn read() -> Result<Self> {
        let mut stats = HashMap::new();
        for entry in fs::read_dir("/proc")?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            // A process may end while the list is read.
            if let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat"))
                && let Some(stat) = parse(&text)
            {
                stats.insert(pid, stat);
            }
        }
        let ticks = rustix::param::clock_ticks_per_second();
        let tick = Duration::from_secs(1) / u32::try_from(ticks).context("an odd clock")?;
        Ok(Self { stats, tick })
    }

    fn with_children(&self, root: u32) -> Vec<u32> {
        let mut found = vec![root];
        let mut next = 0;
        while let Some(&pid) = found.get(next) {
            found.extend(self.stats.iter().filter(|(_, stat)| stat.parent == pid).map(|(child, _)| *child));
            next += 1;
        }
        found
    }

    fn own(&self, pid: u32) -> Duration {
        self.stats.get(&pid).map_or(Duration::ZERO, |stat| self.time(stat.own))
    }

    fn cpu(&self, root: u32) -> Duration {
        let all = self.with_children(root);
        let ticks = all.iter().filter_map(|pid| self.stats.get(pid)).map(|stat| stat.own + stat.ended).sum();
        self.time(ticks)
    }

    fn time(&self, ticks: u64) -> Duration {
        self.tick * u32::try_from(ticks).unwrap_or(u32::MAX)
    }
}

/// Parses `/proc/PID/stat`. The name of the program is in parentheses and may contain anything.
fn parse(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        own: number(11)? + number(12)?,
        ended: number(13)? + number(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_after_the_name_of_the_program() {
        let text = "42 (a) b) c) S 7 42 42 0 -1 4194560 1 2 3 4 100 50 20 5 20 0 1 0 99 1 2";
        let stat = parse(text).unwrap();
        assert_eq!((stat.parent, stat.own, stat.ended), (7, 150, 25));
    }

    #[test]
    fn the_time_of_a_server_includes_its_children_and_theirs() {
        let stat = |parent, own, ended| Stat { parent, own, ended };
        let stats = HashMap::from([(1, stat(0, 1, 0)), (2, stat(1, 10, 5)), (3, stat(2, 100, 0)), (4, stat(1, 7, 0))]);
        let tree = Tree { stats, tick: Duration::from_millis(10) };
        assert_eq!(tree.cpu(2), Duration::from_millis(1_150));
        assert_eq!(tree.own(2), Duration::from_millis(100));
    }
}
