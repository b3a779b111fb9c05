//! Ids, cursors and pages. An id carries its type and is refused where another type is expected; a cursor is an id in
//! other clothes. Nothing here asks the database.

use async_graphql::{ID, SimpleObject};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::error::ApiError;

const MOST: i32 = 100;
const DEFAULT: i32 = 20;
const CURSOR: u8 = b'>';

/// What an id is of. The letter is part of every id ever given out: it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Session,
    Device,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::User => b'U',
            Self::Session => b'S',
            Self::Device => b'D',
        }
    }
}

pub(super) fn encode(kind: Kind, id: Uuid) -> ID {
    tagged(kind.letter(), id).into()
}

/// Any id of ours.
pub(super) fn decode(id: &ID) -> Result<(Kind, Uuid), ApiError> {
    let not_ours = || ApiError::input("id", "This is not an id of this API.");
    let (letter, id) = untagged(id).ok_or_else(not_ours)?;
    let kinds = [Kind::User, Kind::Session, Kind::Device];
    let kind = kinds.into_iter().find(|kind| kind.letter() == letter).ok_or_else(not_ours)?;
    Ok((kind, id))
}

/// An id of one kind.
pub(super) fn decode_as(kind: Kind, id: &ID) -> Result<Uuid, ApiError> {
    match decode(id)? {
        (found, id) if found == kind => Ok(id),
        _ => Err(ApiError::input("id", "This is an id of something else.")),
    }
}

fn tagged(tag: u8, id: Uuid) -> String {
    let mut bytes = [tag; 17];
    bytes[1..].copy_from_slice(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn untagged(text: &str) -> Option<(u8, Uuid)> {
    if text.len() != 23 {
        return None;
    }
    let bytes: [u8; 17] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (tag, id) = bytes.split_first()?;
    Some((*tag, Uuid::from_slice(id).ok()?))
}

/// Which part of a list: so many after or before a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub count: usize,
    pub after: Option<Uuid>,
    pub before: Option<Uuid>,
    /// From the end of the list.
    pub backward: bool,
}

impl Page {
    pub(super) fn new(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
    ) -> Result<Self, ApiError> {
        if first.is_some() && last.is_some() {
            return Err(ApiError::input("last", "Ask for `first` or for `last`, not for both."));
        }
        let field = if last.is_some() { "last" } else { "first" };
        let count = last.or(first).unwrap_or(DEFAULT);
        if !(0..=MOST).contains(&count) {
            return Err(ApiError::input(field, format!("A page has 0 to {MOST} entries.")));
        }
        let cursor = |field, text: Option<&str>| {
            let wrong = || ApiError::input(field, "This is not a cursor of this API.");
            text.map(|text| match untagged(text) {
                Some((CURSOR, id)) => Ok(id),
                _ => Err(wrong()),
            })
            .transpose()
        };
        Ok(Self {
            count: usize::try_from(count).unwrap_or_default(),
            after: cursor("after", after)?,
            before: cursor("before", before)?,
            backward: last.is_some(),
        })
    }

    /// Rows to fetch: one more than the page, which tells whether there are more.
    pub(super) fn fetch(self) -> u64 {
        self.count as u64 + 1
    }

    /// Cuts what was fetched to the page, in the order of the list, and says what lies around it.
    pub(super) fn cut<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> (Vec<T>, PageInfo) {
        let more = rows.len() > self.count;
        rows.truncate(self.count);
        if self.backward {
            rows.reverse();
        }
        let info = PageInfo {
            has_next_page: if self.backward { self.before.is_some() } else { more },
            has_previous_page: if self.backward { more } else { self.after.is_some() },
            start_cursor: rows.first().map(|row| cursor(id(row))),
            end_cursor: rows.last().map(|row| cursor(id(row))),
        };
        (rows, info)
    }
}

pub(super) fn cursor(id: Uuid) -> String {
    tagged(CURSOR, id)
}

/// What lies around a page.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    /// More after `endCursor`.
    pub has_next_page: bool,
    /// More before `startCursor`.
    pub has_previous_page: bool,
    /// Cursor of the first entry.
    pub start_cursor: Option<String>,
    /// Cursor of the last entry.
    pub end_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_refused_where_another_type_is_expected() {
        let id = encode(Kind::Session, Uuid::max());
        assert_eq!(decode_as(Kind::Session, &id).unwrap(), Uuid::max());
        assert!(decode_as(Kind::Device, &id).is_err());
        assert!(Page::new(None, Some(&id), None, None).is_err());
        assert!(decode(&cursor(Uuid::max()).into()).is_err());
        for forged in ["", "x", "U", "' OR 1=1 --", "é".repeat(12).as_str(), &"A".repeat(10_000)] {
            assert!(decode(&forged.into()).is_err(), "{forged}");
        }
    }

    #[test]
    fn a_page_is_bounded_and_goes_one_way() {
        assert!(Page::new(Some(101), None, None, None).is_err());
        assert!(Page::new(Some(-1), None, None, None).is_err());
        assert!(Page::new(Some(1), None, Some(1), None).is_err());
        let page = Page::new(None, None, Some(2), None).unwrap();
        let (rows, info) = page.cut(vec![3u128, 2, 1], |n| Uuid::from_u128(*n));
        assert_eq!(rows, [2, 3]);
        assert!(info.has_previous_page && !info.has_next_page);
    }
}
