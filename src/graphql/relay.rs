//! Ids, cursors and pages. An id carries its type and is refused where another type is expected; a cursor is a place in
//! a list, which is an id in other clothes or, for lists that are sorted by something else, that and the id. Nothing
//! here asks the database.

use std::borrow::Cow;

use async_graphql::{Context, ID, Object, OutputType, SimpleObject, TypeName};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::error::ApiError;
use crate::domain::range_query::Slice;

const MOST: i32 = 100;
const DEFAULT: i32 = 20;
const CURSOR: u8 = b'>';

/// What an id is of. The letter is part of every id ever given out: it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Session,
    Device,
    AuditEvent,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::User => b'U',
            Self::Session => b'S',
            Self::Device => b'D',
            Self::AuditEvent => b'A',
        }
    }
}

/// The id of one of these. The command line shows ids like this, too, so that one can go on with them in the API.
pub(crate) fn encode(kind: Kind, id: Uuid) -> ID {
    tagged(kind.letter(), id).into()
}

/// Any id of ours.
pub(super) fn decode(id: &ID) -> Result<(Kind, Uuid), ApiError> {
    decode_in("id", id)
}

fn decode_in(field: &'static str, id: &ID) -> Result<(Kind, Uuid), ApiError> {
    let not_ours = || ApiError::input(field, "This is not an id of this API.");
    let (letter, id) = untagged(id).ok_or_else(not_ours)?;
    let kinds = [Kind::User, Kind::Session, Kind::Device, Kind::AuditEvent];
    let kind = kinds.into_iter().find(|kind| kind.letter() == letter).ok_or_else(not_ours)?;
    Ok((kind, id))
}

/// A kind of thing that an application has beside Doorcode's. Its letter is part of every id of that kind, so it never
/// changes. Lower-case letters are for applications: none will ever be Doorcode's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnKind(u8);

impl OwnKind {
    /// With a lower-case letter that no other kind of the application has.
    ///
    /// # Panics
    ///
    /// With any other letter; in a constant, that is while compiling.
    pub const fn new(letter: char) -> Self {
        assert!(letter.is_ascii_lowercase(), "an application's kinds have lower-case letters");
        Self(letter as u8)
    }

    /// The id of one thing.
    pub fn encode(self, id: Uuid) -> ID {
        tagged(self.0, id).into()
    }

    /// The thing that an id of this kind is of; `field` is where the caller wrote it.
    pub fn decode(self, field: &'static str, id: &ID) -> Result<Uuid, ApiError> {
        match untagged(id) {
            Some((letter, id)) if letter == self.0 => Ok(id),
            _ => Err(ApiError::input(field, "This is not an id of this kind.")),
        }
    }
}

/// An id of one kind.
pub(super) fn decode_as(kind: Kind, id: &ID) -> Result<Uuid, ApiError> {
    decode_field(kind, "id", id)
}

/// An id of one kind, in a field of another name.
pub(super) fn decode_field(kind: Kind, field: &'static str, id: &ID) -> Result<Uuid, ApiError> {
    match decode_in(field, id)? {
        (found, id) if found == kind => Ok(id),
        _ => Err(ApiError::input(field, "This is an id of something else.")),
    }
}

/// The id of a person: typed, or the UUID that stands in `databaseId` and in the `sub` of an access token.
pub(super) fn decode_user(field: &'static str, id: &ID) -> Result<Uuid, ApiError> {
    // Of the forms that the parser knows, only the one with dashes is as long as this.
    match Uuid::try_parse(id) {
        Ok(uuid) if id.len() == uuid::fmt::Hyphenated::LENGTH => Ok(uuid),
        _ => decode_field(Kind::User, field, id),
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

/// The cursor of a list in the order of ids.
pub fn cursor(id: Uuid) -> String {
    tagged(CURSOR, id)
}

/// No cursor of ours is longer.
const LONGEST_CURSOR: usize = 1_000;

/// A cursor of whatever says where something stands.
pub(super) fn pack(place: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([&[CURSOR], place].concat())
}

/// What a cursor was made of.
pub(super) fn unpack(cursor: &str) -> Option<Vec<u8>> {
    let short = Some(cursor).filter(|cursor| cursor.len() <= LONGEST_CURSOR)?;
    let bytes = URL_SAFE_NO_PAD.decode(short).ok()?;
    Some(bytes.strip_prefix(&[CURSOR])?.to_vec())
}

/// Which part of a list: so many after or before a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<P = Uuid> {
    /// At most so many.
    pub count: usize,
    /// Only what comes after this place.
    pub after: Option<P>,
    /// Only what comes before this place.
    pub before: Option<P>,
    /// From the end of the list.
    pub backward: bool,
}

impl Page {
    /// Of a list in the order of ids.
    pub fn by_id(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
    ) -> Result<Self, ApiError> {
        Self::new(first, after, last, before, |text| untagged(text).filter(|(tag, _)| *tag == CURSOR).map(|(_, id)| id))
    }

    /// What to ask the database for.
    pub fn slice(&self) -> Slice {
        Slice { most: self.fetch(), older_than: self.after, newer_than: self.before, oldest_first: self.backward }
    }
}

impl<P> Page<P> {
    /// Of a list whose cursors `place` reads: none when the text is no cursor of that very list.
    pub(super) fn new(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
        place: impl Fn(&str) -> Option<P>,
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
            let wrong = || ApiError::input(field, "This is not a cursor of this list in this order.");
            text.map(|text| place(text).ok_or_else(wrong)).transpose()
        };
        Ok(Self {
            count: usize::try_from(count).unwrap_or_default(),
            after: cursor("after", after)?,
            before: cursor("before", before)?,
            backward: last.is_some(),
        })
    }

    /// Rows to fetch: one more than the page, which tells whether there are more.
    pub(super) fn fetch(&self) -> u64 {
        self.count as u64 + 1
    }

    /// Cuts what was fetched to the page, in the order of the list, and says what lies around it.
    pub(super) fn cut<T>(&self, mut rows: Vec<T>, cursor: impl Fn(&T) -> String) -> (Vec<(String, T)>, PageInfo) {
        let more = rows.len() > self.count;
        rows.truncate(self.count);
        if self.backward {
            rows.reverse();
        }
        let rows: Vec<_> = rows.into_iter().map(|row| (cursor(&row), row)).collect();
        let info = PageInfo {
            has_next_page: if self.backward { self.before.is_some() } else { more },
            has_previous_page: if self.backward { more } else { self.after.is_some() },
            start_cursor: rows.first().map(|(cursor, _)| cursor.clone()),
            end_cursor: rows.last().map(|(cursor, _)| cursor.clone()),
        };
        (rows, info)
    }
}

/// What lies around a page.
// Every subgraph of a supergraph has this type, and must say that it knows.
#[derive(SimpleObject)]
#[graphql(shareable)]
pub struct PageInfo {
    /// More after `endCursor`.
    pub has_next_page: bool,
    /// More before `startCursor`.
    pub has_previous_page: bool,
    /// Cursor of the first entry.
    pub start_cursor: Option<String>,
    /// Cursor of the last entry.
    pub end_cursor: Option<String>,
}

/// What lists are of.
pub trait Listed: OutputType {
    /// Its type; `Connection` and `Edge` are added to it.
    const NAME: &'static str;
    /// Which list a page is of.
    type List: Send + Sync;

    /// How many there are in a list.
    fn count(ctx: &Context<'_>, list: &Self::List) -> impl Future<Output = Result<u64, ApiError>> + Send;
}

/// A page of a list.
pub struct Connection<T: Listed> {
    edges: Vec<Edge<T>>,
    page_info: PageInfo,
    list: T::List,
    /// However often it is asked for.
    count: OnceCell<u64>,
}

impl<T: Listed> Connection<T> {
    /// What was fetched for a page, with what makes cursors and entries of it.
    pub fn new<P, R>(
        page: &Page<P>,
        rows: Vec<R>,
        cursor: impl Fn(&R) -> String,
        node: impl Fn(R) -> T,
        list: T::List,
    ) -> Self {
        let (rows, page_info) = page.cut(rows, cursor);
        let edges = rows.into_iter().map(|(cursor, row)| Edge { cursor, node: node(row) }).collect();
        Self { edges, page_info, list, count: OnceCell::new() }
    }
}

impl<T: Listed> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::NAME).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<T: Listed> Connection<T> {
    /// The entries with their cursors.
    async fn edges(&self) -> &[Edge<T>] {
        &self.edges
    }

    /// The entries alone.
    async fn nodes(&self) -> Vec<&T> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// What lies around this page.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// How many there are in all; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        let count = self.count.get_or_try_init(|| T::count(ctx, &self.list)).await?;
        Ok(i32::try_from(*count).unwrap_or(i32::MAX))
    }
}

/// An entry of a list.
struct Edge<T> {
    cursor: String,
    node: T,
}

impl<T: Listed> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::NAME).into()
    }
}

/// An entry of a list.
#[Object(name_type)]
impl<T: Listed> Edge<T> {
    /// Where it stands in the list.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The entry.
    async fn node(&self) -> &T {
        &self.node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_refused_where_another_type_is_expected() {
        let id = encode(Kind::Session, Uuid::max());
        assert_eq!(decode_as(Kind::Session, &id).unwrap(), Uuid::max());
        assert!(decode_as(Kind::Device, &id).is_err());
        assert!(Page::by_id(None, Some(&id), None, None).is_err());
        assert!(decode(&cursor(Uuid::max()).into()).is_err());
        for forged in ["", "x", "U", "' OR 1=1 --", "é".repeat(12).as_str(), &"A".repeat(10_000)] {
            assert!(decode(&forged.into()).is_err(), "{forged}");
        }
    }

    #[test]
    fn a_person_has_a_typed_id_and_a_uuid_in_one_form() {
        let uuid = Uuid::from_u128(0x0190_a8f1_0000_7000_8000_0000_0000_0001);
        for id in [encode(Kind::User, uuid), uuid.to_string().into(), uuid.to_string().to_uppercase().into()] {
            assert_eq!(decode_user("id", &id).unwrap(), uuid, "{id:?}");
        }
        let forms = [uuid.simple().to_string(), uuid.urn().to_string(), uuid.braced().to_string()];
        for forged in forms.into_iter().map(ID::from).chain([encode(Kind::Session, uuid)]) {
            assert!(decode_user("id", &forged).is_err(), "{forged:?}");
        }
    }

    #[test]
    fn an_applications_id_is_none_of_doorcodes_nor_of_another_kind() {
        let (note, list) = (OwnKind::new('n'), OwnKind::new('l'));
        let id = note.encode(Uuid::max());
        assert_eq!(note.decode("id", &id).unwrap(), Uuid::max());
        assert!(list.decode("id", &id).is_err());
        assert!(decode(&id).is_err());
        assert!(note.decode("id", &encode(Kind::User, Uuid::max())).is_err());
    }

    #[test]
    fn a_page_is_bounded_and_goes_one_way() {
        assert!(Page::by_id(Some(101), None, None, None).is_err());
        assert!(Page::by_id(Some(-1), None, None, None).is_err());
        assert!(Page::by_id(Some(1), None, Some(1), None).is_err());
        let page = Page::by_id(None, None, Some(2), None).unwrap();
        let (rows, info) = page.cut(vec![3, 2, 1], |row| format!("<{row}>"));
        assert_eq!(rows, [("<2>".to_owned(), 2), ("<3>".to_owned(), 3)]);
        assert!(info.has_previous_page && !info.has_next_page);
    }
}
