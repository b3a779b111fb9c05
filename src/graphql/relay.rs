//! IDs, cursors and connections. An ID contains the type of its object, and is refused where another type is expected.
//! A cursor contains the ID of an item. In a list that is not ordered by ID, a cursor also contains the item's sort
//! key.

use std::borrow::Cow;

use async_graphql::{Context, ID, Object, OutputType, SimpleObject, TypeName};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::error::ApiError;
use crate::domain::range_query::Slice;

const MAX_PAGE: i32 = 100;
const DEFAULT_PAGE: i32 = 20;
const CURSOR: u8 = b'>';

/// The type of the object that an ID identifies. IDs contain the letter of their type. Clients store IDs, so a letter
/// must never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Session,
    Device,
    AuditEvent,
    ApiKey,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::User => b'U',
            Self::Session => b'S',
            Self::Device => b'D',
            Self::AuditEvent => b'A',
            Self::ApiKey => b'K',
        }
    }
}

/// Encodes the ID of an object. The command line shows the same IDs.
pub(crate) fn encode(kind: Kind, id: Uuid) -> ID {
    tagged(kind.letter(), id).into()
}

/// Decodes an ID of any type from the field `id`.
pub(super) fn decode(id: &ID) -> Result<(Kind, Uuid), ApiError> {
    decode_in("id", id)
}

fn decode_in(field: &'static str, id: &ID) -> Result<(Kind, Uuid), ApiError> {
    let not_ours = || ApiError::input(field, format!("`{field}` is not an ID of this API."));
    let (letter, id) = untagged(id).ok_or_else(not_ours)?;
    let kinds = [Kind::User, Kind::Session, Kind::Device, Kind::AuditEvent, Kind::ApiKey];
    let kind = kinds.into_iter().find(|kind| kind.letter() == letter).ok_or_else(not_ours)?;
    Ok((kind, id))
}

/// The ID type of an application's own object. Applications use lower-case letters, and Doorcode uses capitals. Clients
/// store IDs, so a letter must never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnKind(u8);

impl OwnKind {
    /// Creates the type. The letter must be lower case and unique in the application.
    ///
    /// # Panics
    ///
    /// If the letter is not lower case. In a constant, this is a compile error.
    pub const fn new(letter: char) -> Self {
        assert!(letter.is_ascii_lowercase(), "the ID type of an application needs a lower-case letter");
        Self(letter as u8)
    }

    /// Encodes the ID of an object of this type.
    pub fn encode(self, id: Uuid) -> ID {
        tagged(self.0, id).into()
    }

    /// Decodes an ID of this type. An error says that `field` is invalid.
    pub fn decode(self, field: &'static str, id: &ID) -> Result<Uuid, ApiError> {
        match untagged(id) {
            Some((letter, id)) if letter == self.0 => Ok(id),
            _ => Err(ApiError::input(field, format!("`{field}` is not an ID of the expected type."))),
        }
    }
}

/// Decodes an ID of one type from the field `id`.
pub(super) fn decode_as(kind: Kind, id: &ID) -> Result<Uuid, ApiError> {
    decode_field(kind, "id", id)
}

/// Decodes an ID of one type. An error says that `field` is invalid.
pub(super) fn decode_field(kind: Kind, field: &'static str, id: &ID) -> Result<Uuid, ApiError> {
    match decode_in(field, id)? {
        (found, id) if found == kind => Ok(id),
        _ => Err(ApiError::input(field, format!("`{field}` must be an ID of type {kind:?}."))),
    }
}

/// Decodes the ID of a user. Also accepts the UUID in `databaseId` or the `sub` claim.
pub(super) fn decode_user(field: &'static str, id: &ID) -> Result<Uuid, ApiError> {
    decode_or_uuid(Kind::User, field, id)
}

/// Decodes an ID of one type. Also accepts the UUID that access tokens have.
pub(super) fn decode_or_uuid(kind: Kind, field: &'static str, id: &ID) -> Result<Uuid, ApiError> {
    // The parser accepts several UUID formats. Only the hyphenated format has this length.
    match Uuid::try_parse(id) {
        Ok(uuid) if id.len() == uuid::fmt::Hyphenated::LENGTH => Ok(uuid),
        _ => decode_field(kind, field, id),
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

/// Returns the cursor of an item in a list that is ordered by ID.
pub fn cursor(id: Uuid) -> String {
    tagged(CURSOR, id)
}

/// Returns the cursor of an item in a list that is ordered by a unique text.
pub fn text_cursor(text: &str) -> String {
    pack(text.as_bytes())
}

/// Maximum length of a cursor in bytes.
const MAX_CURSOR: usize = 1_000;

/// Encodes a position as a cursor.
pub(super) fn pack(position: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([&[CURSOR], position].concat())
}

/// Decodes the position in a cursor.
pub(super) fn unpack(cursor: &str) -> Option<Vec<u8>> {
    let short = Some(cursor).filter(|cursor| cursor.len() <= MAX_CURSOR)?;
    let bytes = URL_SAFE_NO_PAD.decode(short).ok()?;
    Some(bytes.strip_prefix(&[CURSOR])?.to_vec())
}

/// A requested page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<P = Uuid> {
    /// Maximum number of items.
    pub count: usize,
    /// Only items after this position.
    pub after: Option<P>,
    /// Only items before this position.
    pub before: Option<P>,
    /// Whether the page is taken from the end of the list.
    pub backward: bool,
}

impl Page {
    /// A page of a list ordered by ID.
    ///
    /// # Errors
    ///
    /// If `first` and `last` are combined or out of range, or a cursor is invalid.
    pub fn by_id(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
    ) -> Result<Self, ApiError> {
        Self::new(first, after, last, before, |text| untagged(text).filter(|(tag, _)| *tag == CURSOR).map(|(_, id)| id))
    }

    /// Returns the range of rows to query.
    pub fn slice(&self) -> Slice {
        Slice { most: self.fetch(), older_than: self.after, newer_than: self.before, oldest_first: self.backward }
    }
}

impl Page<String> {
    /// A page of a list ordered by a text that is unique in the list, such as a name. [`text_cursor`] makes its cursors.
    ///
    /// # Errors
    ///
    /// If `first` and `last` are combined or out of range, or a cursor is invalid.
    pub fn by_text(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
    ) -> Result<Self, ApiError> {
        Self::new(first, after, last, before, |text| {
            String::from_utf8(unpack(text)?).ok().filter(|text| !text.contains('\0'))
        })
    }
}

impl<P> Page<P> {
    /// A page of a list. `position` decodes a cursor of that list, and returns `None` for a cursor of another list.
    pub(super) fn new(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
        position: impl Fn(&str) -> Option<P>,
    ) -> Result<Self, ApiError> {
        if first.is_some() && last.is_some() {
            return Err(ApiError::input("last", "Use `first` or `last`, not both."));
        }
        let field = if last.is_some() { "last" } else { "first" };
        let count = last.or(first).unwrap_or(DEFAULT_PAGE);
        if !(0..=MAX_PAGE).contains(&count) {
            return Err(ApiError::input(field, format!("`{field}` must be between 0 and {MAX_PAGE}.")));
        }
        let cursor = |field, text: Option<&str>| {
            let wrong = || ApiError::input(field, format!("`{field}` is not a cursor of this list in this order."));
            text.map(|text| position(text).ok_or_else(wrong)).transpose()
        };
        Ok(Self {
            count: usize::try_from(count).unwrap_or_default(),
            after: cursor("after", after)?,
            before: cursor("before", before)?,
            backward: last.is_some(),
        })
    }

    /// Returns the number of rows to fetch. It is one more than the page, to find out whether another page follows.
    pub fn fetch(&self) -> u64 {
        self.count as u64 + 1
    }

    /// Cuts the fetched rows to the page and puts them in list order. Returns them with their cursors and the page
    /// info.
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

/// Information about a page of a list.
// Shareable, because every subgraph of a supergraph defines this type.
#[derive(SimpleObject)]
#[graphql(shareable)]
pub struct PageInfo {
    /// Whether there are items after `endCursor`.
    pub has_next_page: bool,
    /// Whether there are items before `startCursor`.
    pub has_previous_page: bool,
    /// The cursor of the first item on the page.
    pub start_cursor: Option<String>,
    /// The cursor of the last item on the page.
    pub end_cursor: Option<String>,
}

/// The item type of a connection.
pub trait Listed: OutputType {
    /// Prefix for the names of the `Connection` and `Edge` types.
    const NAME: &'static str;
    /// Identifies a list, so that its items can be counted.
    type List: Send + Sync;

    /// The number of items in a list.
    fn count(ctx: &Context<'_>, list: &Self::List) -> impl Future<Output = Result<u64, ApiError>> + Send;
}

/// A page of a list, as a Relay connection.
pub struct Connection<T: Listed> {
    edges: Vec<Edge<T>>,
    page_info: PageInfo,
    list: T::List,
    /// The number of items. Cached, because a query can select `totalCount` several times.
    count: OnceCell<u64>,
}

impl<T: Listed> Connection<T> {
    /// Builds a connection from the fetched rows.
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
    /// The items with their cursors.
    async fn edges(&self) -> &[Edge<T>] {
        &self.edges
    }

    /// The items without cursors.
    async fn nodes(&self) -> Vec<&T> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Information about the page.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// The number of items in the whole list.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        let count = self.count.get_or_try_init(|| T::count(ctx, &self.list)).await?;
        Ok(i32::try_from(*count).unwrap_or(i32::MAX))
    }
}

struct Edge<T> {
    cursor: String,
    node: T,
}

impl<T: Listed> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::NAME).into()
    }
}

/// An item of a list with its cursor.
#[Object(name_type)]
impl<T: Listed> Edge<T> {
    /// The position of the item, for `after` and `before`.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The item.
    async fn node(&self) -> &T {
        &self.node
    }
}

#[cfg(test)]
mod tests;
