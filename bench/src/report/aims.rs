//! The aims: what each was to reach, what was reached, and for those that were missed where the time goes.

use std::fmt::Write as _;

use super::{
    chart::short,
    data::{Data, Pairs, middle},
};
use crate::{measure::Run, memory, parts::Part};

/// Which side of a value is good.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Below(bound) => value < bound,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::AtLeast(bound) => format!("at least {}{unit}", short(bound)),
            Self::AtMost(bound) => format!("at most {}{unit}", short(bound)),
            Self::Below(bound) => format!("below {}{unit}", short(bound)),
        }
    }
}

struct Aim {
    figure: String,
    bound: Bound,
    unit: &'static str,
    reached: Option<f64>,
    /// Where the time or the memory goes.
    place: String,
    /// What would be done next to reach it.
    next: &'static str,
}

/// The aim for a ratio of throughputs, if there is one.
pub(super) fn of_pairs(part: Part, flow: &str) -> Option<f64> {
    Some(match (part, flow) {
        (Part::Floor, "me" | "refresh") => 0.7,
        (Part::Floor, "sign-in") => 0.75,
        (Part::BetterAuth | Part::DjangoAllauth, "me") => 15.0,
        (Part::BetterAuth | Part::DjangoAllauth, "sign-in") => 5.0,
        (Part::FastapiCareful, "me") => 8.0,
        (Part::FastapiCareful, "sign-in") => 3.5,
        (Part::Argon2, "password") => 0.9,
        _ => return None,
    })
}

/// What would be next for a ratio.
fn next_of_pairs(part: Part, flow: &str) -> &'static str {
    match (part, flow) {
        (Part::Floor, "me") => {
            "Execute `me` without building a schema response for each field, and find what the driver does with a row \
             that the floor does not."
        }
        (_, "me") => "As for the floor: the cost of GraphQL for a request that reads one row.",
        (Part::Floor, "refresh") => {
            "The pool confirms each release of a connection by a round trip to PostgreSQL: about 13 % of the time in the \
             service. Then fewer allocations between reading the token and the two statements."
        }
        (Part::Argon2, _) => "Fewer commits around the hash: count a try and write its outcome in one transaction.",
        _ => {
            "Fewer statements and commits: PostgreSQL takes the larger share. Audit events could be written in batches."
        }
    }
}

fn ratios(data: &Data) -> Vec<Aim> {
    let rows = [
        (Part::Floor, "me"),
        (Part::Floor, "sign-in"),
        (Part::Floor, "refresh"),
        (Part::BetterAuth, "me"),
        (Part::FastapiCareful, "me"),
        (Part::DjangoAllauth, "me"),
        (Part::BetterAuth, "sign-in"),
        (Part::FastapiCareful, "sign-in"),
        (Part::DjangoAllauth, "sign-in"),
        (Part::Argon2, "password"),
    ];
    let aim = |(part, flow): (Part, &'static str)| {
        let bound = Bound::AtLeast(of_pairs(part, flow)?);
        let pairs = data.pairs(part, flow);
        let reached = pairs.as_ref().map(|pairs| pairs.compared.ratio);
        let place = pairs.map(|pairs| place(&pairs)).unwrap_or_default();
        let figure = format!("`{flow}` over {}", part.name());
        Some(Aim { figure, bound, unit: "", reached, place, next: next_of_pairs(part, flow) })
    };
    rows.into_iter().filter_map(aim).collect()
}

/// Where the processor time of both goes.
fn place(pairs: &Pairs) -> String {
    let other = pairs.theirs.first().map(|run| run.system.clone()).unwrap_or_default();
    let cpu = |runs: &[Run]| {
        let part = |figure: fn(&Run) -> f64| short(middle(runs, figure));
        format!(
            "{} µs in the service, {} in PostgreSQL and {} in Redis",
            part(|run| run.server_us),
            part(|run| run.postgres_us),
            part(|run| run.redis_us)
        )
    };
    format!("An operation takes {}; {other} takes {}.", cpu(&pairs.ours), cpu(&pairs.theirs))
}

fn costs(data: &Data) -> Vec<Aim> {
    let counts = data.counts();
    let sign_in = counts.iter().find(|counts| counts.flow == "sign-in");
    let count = |name: &str, bound, reached, place: Option<String>, next| {
        let (figure, place) = (format!("{name} of a sign-in"), place.unwrap_or_default());
        Aim { figure, bound, unit: "", reached, place, next }
    };
    vec![
        Aim {
            figure: "allocations of `me`".to_owned(),
            bound: Bound::AtMost(60.0),
            unit: "",
            reached: data.allocations("me"),
            place: "Most belong to the HTTP server, the execution of GraphQL and the database driver.".to_owned(),
            next: "Find the callers with `perf` on the build that counts.",
        },
        count(
            "statements",
            Bound::Below(13.0),
            sign_in.map(|counts| counts.statements),
            Some("Two of them claim and close the letter.".to_owned()),
            "Write both audit events in one statement; claim and close letters in batches.",
        ),
        count(
            "flushes of the log for the commits",
            Bound::Below(5.0),
            sign_in.map(|counts| counts.flushes),
            sign_in.map(|counts| {
                format!("{} are transactions; the others claim and close the letter.", short(counts.transactions))
            }),
            "Claim the letter in the transaction that queues it, and close letters in batches.",
        ),
        count(
            "round trips to Redis",
            Bound::AtMost(2.0),
            // Housekeeping reads from Redis now and then, too.
            sign_in.map(|counts| (counts.redis_reads * 10.0).round() / 10.0),
            sign_in.map(|counts| {
                format!(
                    "They carry {} calls, of the limiter and of events to other replicas.",
                    short(counts.redis_calls)
                )
            }),
            "Charge all limits of a request in one call.",
        ),
    ]
}

fn others(data: &Data) -> Vec<Aim> {
    let starts = data.starts(Part::Servers);
    let idle = (!starts.is_empty()).then(|| middle(&starts, |start| start.idle));
    // The maximum is that of the process so far: the first run that has it reached it.
    let loaded = data.runs(Part::Servers).into_iter().rev().max_by(|a, b| a.memory_max.total_cmp(&b.memory_max));
    let half = data.figure(Part::Servers, "me", None);
    let sizes: Vec<u64> = data.crowds().iter().map(|crowd| crowd.people).collect();
    let largest = sizes.last().copied().unwrap_or(1_000_000);
    let flows = ["me", "sign-in", "password", "refresh", "users", "audit"];
    let last = |flow: &&'static str| Some((*flow, data.growth(flow).last()?.1));
    let worst = flows.iter().filter_map(last).max_by(|a, b| a.1.total_cmp(&b.1)).filter(|_| sizes.len() > 1);
    let samples = data.samples();
    let memory_place = loaded
        .map_or_else(String::new, |run| format!("Highest during `{}` with {} connections.", run.flow, run.connections));
    vec![
        Aim {
            figure: "memory when idle".to_owned(),
            bound: Bound::AtMost(25.0),
            unit: " MiB",
            reached: idle,
            place: "The schema, the list of common passwords and the pages.".to_owned(),
            next: "Read the compiled lists from the binary instead of copying them.",
        },
        Aim {
            figure: "memory under load".to_owned(),
            bound: Bound::AtMost(60.0),
            unit: " MiB",
            reached: loaded.map(|run| run.memory_max),
            place: memory_place,
            next: "Smaller buffers for each connection.",
        },
        Aim {
            figure: format!("time of an operation with {} rows over 1,000", short(largest as f64)),
            bound: Bound::AtMost(1.15),
            unit: "",
            reached: worst.map(|worst| worst.1),
            place: worst.map(|(flow, _)| format!("`{flow}` grows most.")).unwrap_or_default(),
            next: "Look at its plans, and at how much of the tables PostgreSQL keeps in memory.",
        },
        Aim {
            figure: "p99 of `me` at half of saturation".to_owned(),
            bound: Bound::Below(3.0),
            unit: " ms",
            reached: half.map(|run| run.latency.p99),
            place: half.map(|run| format!("p50 is {} ms.", short(run.latency.p50))).unwrap_or_default(),
            next: "On two cores, the driver, PostgreSQL and the service wait for each other: measure on more cores.",
        },
        Aim {
            figure: "growth of memory at 80 % load".to_owned(),
            bound: Bound::AtMost(5.0),
            unit: " %",
            reached: (samples.len() >= 10).then(|| memory::growth(&samples).max(0.0) * 100.0),
            place: "See the curve.".to_owned(),
            next: "Profile the heap over the time of the curve.",
        },
    ]
}

/// The table of all aims, and a list of those that were missed.
pub(super) fn write(data: &Data) -> String {
    let aims = [ratios(data), costs(data), others(data)].into_iter().flatten().collect::<Vec<_>>();
    let mut text = String::from("| figure | aim | reached | |\n| --- | --- | ---: | --- |\n");
    for aim in &aims {
        let Aim { figure, bound, unit, reached, .. } = aim;
        let (value, outcome) = match reached {
            Some(value) if bound.holds(*value) => (format!("{}{unit}", short(*value)), "yes"),
            Some(value) => (format!("{}{unit}", short(*value)), "**no**"),
            None => (String::new(), "not measured"),
        };
        let _ = writeln!(text, "| {figure} | {} | {value} | {outcome} |", bound.text(unit));
    }
    let missed: Vec<_> =
        aims.iter().filter(|aim| aim.reached.is_some_and(|reached| !aim.bound.holds(reached))).collect();
    if !missed.is_empty() {
        text.push_str("\nMissed, where the time or memory goes, and what would be next:\n\n");
    }
    for Aim { figure, bound, unit, reached, place, next } in missed {
        let reached = reached.map(short).unwrap_or_default();
        let _ = writeln!(text, "- **{figure}** ({reached}{unit}, {}). {place} {next}", bound.text(unit));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Bound;

    #[test]
    fn a_bound_says_which_side_is_good() {
        assert!(Bound::AtLeast(0.7).holds(0.7) && !Bound::AtLeast(0.7).holds(0.69));
        assert!(Bound::AtMost(25.0).holds(25.0) && !Bound::AtMost(25.0).holds(25.1));
        assert!(Bound::Below(3.0).holds(2.9) && !Bound::Below(3.0).holds(3.0));
        assert_eq!(Bound::AtMost(60.0).text(" MiB"), "at most 60 MiB");
    }
}
