//! The raw data of all parts, and the figures that tables and charts share.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;

use crate::{
    counts::Counts,
    measure::{Comparison, Run, median},
    parts::Part,
    record::{self, About, Record, Sample, Start},
};

/// The records of one kind in a part.
macro_rules! all_of {
    ($data:expr, $part:expr, $kind:ident) => {
        $data.records($part).iter().filter_map(|record| match record {
            Record::$kind(one) => Some(one),
            _ => None,
        })
    };
}

/// What was measured.
pub(super) struct Data(BTreeMap<&'static str, Vec<Record>>);

/// Runs of Doorcode and of another service, in pairs.
pub(super) struct Pairs {
    pub(super) ours: Vec<Run>,
    pub(super) theirs: Vec<Run>,
    pub(super) compared: Comparison,
}

impl Data {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let parts = Part::ALL.iter().map(|part| Ok((part.name(), record::read(folder, part.name())?)));
        Ok(Self(parts.collect::<Result<_>>()?))
    }

    fn records(&self, part: Part) -> &[Record] {
        self.0.get(part.name()).map_or(&[], Vec::as_slice)
    }

    /// The parts that were measured, each with its first line.
    pub(super) fn abouts(&self) -> Vec<(Part, &About)> {
        let about = |part: Part| match self.records(part).first() {
            Some(Record::About(about)) => Some((part, about)),
            _ => None,
        };
        Part::ALL.into_iter().filter_map(about).collect()
    }

    pub(super) fn has(&self, part: Part) -> bool {
        !self.records(part).is_empty()
    }

    pub(super) fn runs(&self, part: Part) -> Vec<&Run> {
        all_of!(self, part, Run).collect()
    }

    fn runs_of(&self, part: Part, system: &str, flow: &str) -> Vec<Run> {
        let runs = self.runs(part).into_iter();
        runs.filter(|run| run.system == system && run.flow == flow).cloned().collect()
    }

    pub(super) fn pairs(&self, part: Part, flow: &str) -> Option<Pairs> {
        self.between((part, "doorcode"), (part, part.name()), flow)
    }

    /// Pairs of runs of two systems. `None` if one of them was not measured.
    pub(super) fn between(&self, own: (Part, &str), other: (Part, &str), flow: &str) -> Option<Pairs> {
        let (ours, theirs) = (self.runs_of(own.0, own.1, flow), self.runs_of(other.0, other.1, flow));
        let compared = Comparison::of(flow, &ours, &theirs);
        (!compared.ratios.is_empty()).then_some(Pairs { ours, theirs, compared })
    }

    /// The closed loop at a number of connections, or the open loop.
    pub(super) fn figure(&self, part: Part, flow: &str, connections: Option<usize>) -> Option<&Run> {
        self.runs(part).into_iter().find(|run| {
            run.flow == flow
                && match connections {
                    Some(number) => run.rate.is_none() && run.connections == number,
                    None => run.rate.is_some(),
                }
        })
    }

    pub(super) fn starts(&self, part: Part) -> Vec<&Start> {
        all_of!(self, part, Start).collect()
    }

    pub(super) fn counts(&self) -> Vec<&Counts> {
        all_of!(self, Part::Counts, Counts).collect()
    }

    pub(super) fn allocations(&self, flow: &str) -> Option<f64> {
        all_of!(self, Part::Allocations, Allocations).find(|one| one.flow == flow).map(|one| one.each)
    }

    pub(super) fn crowds(&self) -> Vec<&record::Crowd> {
        all_of!(self, Part::Growth, Crowd).collect()
    }

    /// How many times as long an operation takes with each number of rows, compared with the smallest.
    pub(super) fn growth(&self, flow: &str) -> Vec<(u64, f64)> {
        let crowds = self.crowds();
        let Some(first) = crowds.first() else { return Vec::new() };
        let ratio = |other: &str| self.between((Part::Growth, &first.system), (Part::Growth, other), flow);
        let all = crowds.iter().map(|crowd| (crowd.people, ratio(&crowd.system)));
        all.filter_map(|(people, pairs)| Some((people, pairs?.compared.ratio))).collect()
    }

    pub(super) fn samples(&self) -> Vec<Sample> {
        all_of!(self, Part::Memory, Memory).copied().collect()
    }

    pub(super) fn heard(&self) -> Option<&crate::listeners::Heard> {
        all_of!(self, Part::Listeners, Heard).next()
    }

    /// Flows that could not be measured, and why.
    pub(super) fn refused(&self) -> Vec<(Part, &str, &str)> {
        let all = Part::ALL.into_iter().flat_map(|part| self.records(part).iter().map(move |record| (part, record)));
        all.filter_map(|(part, record)| match record {
            Record::Refused { flow, why, .. } => Some((part, flow.as_str(), why.as_str())),
            _ => None,
        })
        .collect()
    }
}

/// The median of a figure over runs.
pub(super) fn middle<T>(all: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    median(&all.iter().map(figure).collect::<Vec<_>>())
}
