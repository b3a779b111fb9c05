//! Values that several tables and the API use: enums, lists and checked text.

use async_graphql::Enum;
use doorcode::domain::Check;
use sea_orm::{
    FromJsonQueryResult,
    entity::prelude::{DeriveActiveEnum, EnumIter, StringLen},
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
    /// How hard a pose or a sequence is.
    Difficulty {
        /// For everyone.
        Beginner = "BEGINNER",
        /// Needs some practice.
        Intermediate = "INTERMEDIATE",
        /// Needs strength, flexibility and experience.
        Advanced = "ADVANCED",
    }
    /// The kind of a pose.
    PoseCategory {
        /// On both feet.
        Standing = "STANDING",
        /// On one leg or in another balance.
        Balancing = "BALANCING",
        /// On the arms.
        ArmBalance = "ARM_BALANCE",
        /// On the floor.
        Seated = "SEATED",
        /// Bends forward.
        ForwardBend = "FORWARD_BEND",
        /// Bends backward.
        Backbend = "BACKBEND",
        /// Turns the spine.
        Twist = "TWIST",
        /// Head below the heart.
        Inversion = "INVERSION",
        /// Strengthens the core.
        Core = "CORE",
        /// Rest.
        Restorative = "RESTORATIVE",
    }
    /// A part of the body that a pose or a sequence works on.
    TargetArea {
        /// The ankles and feet.
        Ankles = "ANKLES",
        /// The arms and wrists.
        Arms = "ARMS",
        /// The back and spine.
        Back = "BACK",
        /// The chest.
        Chest = "CHEST",
        /// The abdomen.
        Core = "CORE",
        /// The hamstrings.
        Hamstrings = "HAMSTRINGS",
        /// The hips.
        Hips = "HIPS",
        /// The legs.
        Legs = "LEGS",
        /// The neck.
        Neck = "NECK",
        /// The shoulders.
        Shoulders = "SHOULDERS",
        /// The whole body.
        WholeBody = "WHOLE_BODY",
    }
    /// The style of a sequence.
    Style {
        /// Fixed series at a steady pace.
        Ashtanga = "ASHTANGA",
        /// Calm, with time in each pose.
        Hatha = "HATHA",
        /// Strength.
        Power = "POWER",
        /// Supported poses to recover.
        Restorative = "RESTORATIVE",
        /// Flowing with the breath.
        Vinyasa = "VINYASA",
        /// Long holds close to the floor.
        Yin = "YIN",
    }
    /// How a practice felt.
    Mood {
        /// Calm.
        Calm = "CALM",
        /// Full of energy.
        Energised = "ENERGISED",
        /// Happy.
        Happy = "HAPPY",
        /// Nothing special.
        Neutral = "NEUTRAL",
        /// Tired.
        Tired = "TIRED",
    }
}

/// A list of texts in a JSON column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Texts(pub Vec<String>);

/// A list of target areas in a JSON column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Areas(pub Vec<TargetArea>);

/// Checks a required text: `least` to `most` characters, without control characters other than line breaks. Trims it.
pub fn text(check: &mut Check, field: &'static str, text: &str, (least, most): (usize, usize)) -> String {
    let text = text.trim();
    let length = text.chars().count();
    let is_plain = text.chars().all(|char| char == '\n' || !char.is_control());
    let result = match (is_plain, (least..=most).contains(&length)) {
        (true, true) => Ok(text.to_owned()),
        (false, _) => Err(format!("`{field}` contains a control character.")),
        (_, false) => Err(format!("`{field}` must have {least} to {most} characters.")),
    };
    check.field(field, result).unwrap_or_default()
}

/// Checks a number against its limits.
pub fn number(check: &mut Check, field: &'static str, value: i32, (least, most): (i32, i32)) -> i32 {
    let result = if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(format!("`{field}` must be between {least} and {most}."))
    };
    check.field(field, result).unwrap_or_default()
}
