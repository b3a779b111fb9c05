//! Values that several tables and the API use: enums, lists and checked text.

use async_graphql::{Enum, SimpleObject};
use doorcode::domain::{Check, range_query::Slice};
use sea_orm::{
    Condition, FromJsonQueryResult, Order, QueryFilter, QueryOrder, QuerySelect, Select,
    entity::prelude::{ColumnTrait, DeriveActiveEnum, EntityTrait, EnumIter, StringLen},
};
use serde::{Deserialize, Serialize};

/// Defines enums that are stored as text and shown in the API under the same names.
macro_rules! enums {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $about:literal])+ $value:ident = $text:literal,)+ })+) => { $(
        $(#[doc = $doc])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enum, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
        )]
        #[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
        pub enum $name { $(
            $(#[doc = $about])+
            #[sea_orm(string_value = $text)]
            #[serde(rename = $text)]
            $value,
        )+ }
    )+ };
}

enums! {
    /// What a prompt looks for.
    PromptKind {
        /// Mistakes.
        Bugs = "BUGS",
        /// Weaknesses that an attacker can use.
        Security = "SECURITY",
        /// Code that is hard to read.
        Readability = "READABILITY",
        /// Code that is slower than necessary.
        Performance = "PERFORMANCE",
        /// Something else.
        Other = "OTHER",
    }
    /// The state of an analysis.
    AnalysisStatus {
        /// Waits for a worker, also before another attempt.
        Queued = "QUEUED",
        /// A worker has it.
        Running = "RUNNING",
        /// It has a result.
        Succeeded = "SUCCEEDED",
        /// Given up. `error` says why.
        Failed = "FAILED",
        /// Cancelled by its owner.
        Cancelled = "CANCELLED",
    }
    /// The state of a file of an analysis.
    FileStatus {
        /// Not analysed yet.
        Queued = "QUEUED",
        /// Part of the result.
        Analysed = "ANALYSED",
        /// Left out, because it is empty.
        Skipped = "SKIPPED",
    }
    /// How serious a finding is.
    Severity {
        /// Worth knowing.
        Info = "INFO",
        /// Worth changing.
        Low = "LOW",
        /// Should be changed.
        Medium = "MEDIUM",
        /// Must be changed.
        High = "HIGH",
    }
}

/// A list of names in a JSON column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Names(pub Vec<String>);

/// The values of a prompt's variables, in a JSON column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Variables(pub Vec<(String, String)>);

/// Parameters of a model, in a JSON column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, FromJsonQueryResult, SimpleObject)]
#[graphql(name = "ModelParameters")]
pub struct Parameters {
    /// How much answers vary (0 to 2).
    pub temperature: Option<f64>,
    /// Maximum length of an answer for one file (1 to 32,000 tokens).
    pub max_tokens: Option<i32>,
}

/// Checks a required text: `least` to `most` characters, without control characters other than line breaks and tabs.
/// Trims it.
pub fn text(check: &mut Check, field: &'static str, text: &str, (least, most): (usize, usize)) -> String {
    let text = text.trim();
    let is_plain = text.chars().all(|char| "\n\r\t".contains(char) || !char.is_control());
    let result = match (is_plain, (least..=most).contains(&text.chars().count())) {
        (true, true) => Ok(text.to_owned()),
        (false, _) => Err(format!("`{field}` contains a control character.")),
        (_, false) => Err(format!("`{field}` must have {least} to {most} characters.")),
    };
    check.field(field, result).unwrap_or_default()
}

/// Checks a number against its limits.
pub fn number<T: PartialOrd + std::fmt::Display>(
    check: &mut Check,
    field: &'static str,
    value: T,
    (least, most): (T, T),
) -> Option<T> {
    let is_in_range = least <= value && value <= most;
    check.field(
        field,
        if is_in_range { Ok(value) } else { Err(format!("`{field}` must be between {least} and {most}.")) },
    )
}

/// Limits a list that is ordered by id to a page of it.
pub fn page<E: EntityTrait>(list: Select<E>, id: E::Column, slice: &Slice) -> Select<E> {
    let bounds = Condition::all()
        .add_option(slice.older_than.map(|than| id.lt(than)))
        .add_option(slice.newer_than.map(|than| id.gt(than)));
    let order = if slice.oldest_first { Order::Asc } else { Order::Desc };
    list.filter(bounds).order_by(id, order).limit(slice.most)
}
