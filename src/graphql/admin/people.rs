//! The list of people, for whoever may read people. Here are only the words for filters, orders and cursors; what they
//! mean and what they cost is in `domain::user::list`.

use async_graphql::{Context, Enum, InputObject, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    domain::{
        access::Manager,
        user::list::{self, By, Filter, Key, Listing, Order, Part, Position},
    },
    graphql::{
        error::ApiError,
        parts,
        relay::{self, Connection, Listed, Page},
        user::{Role, User, UserStatus},
    },
};

/// Which people; all that is given must fit. Among ten million people, too, these are fast: roles and statuses in every
/// order; a prefix in its own order; a search or anything else that fits five thousand people or fewer, in every order. A
/// prefix that fits many takes longer in another order, the more they are; a filter that fits many of whom hardly any
/// come early in the order may take too long, and then ends in `UNAVAILABLE`.
#[derive(InputObject)]
struct UserFilter {
    /// The address begins so, in whatever case. Wildcards mean nothing.
    email_prefix: Option<String>,
    /// The name begins so, in whatever case. Wildcards mean nothing.
    name_prefix: Option<String>,
    /// Part of the address or name, ignoring case: 3 to 254 characters, without wildcards. A term that matches more than
    /// 5,000 people returns the newest first, whatever `orderBy` says. `UNAVAILABLE` if PostgreSQL does not have the
    /// extension `pg_trgm`: `doorcode doctor` says how to add it.
    search: Option<String>,
    /// With any of these roles.
    roles: Option<Vec<Role>>,
    /// With any of these statuses. Only administrators see people who are DELETED.
    statuses: Option<Vec<UserStatus>>,
    /// Made at this moment or later.
    created_from: Option<DateTime<Utc>>,
    /// Made before this moment.
    created_before: Option<DateTime<Utc>>,
}

impl From<UserFilter> for Filter {
    fn from(filter: UserFilter) -> Self {
        Self {
            email: filter.email_prefix,
            name: filter.name_prefix,
            search: None,
            roles: filter.roles.map(|roles| roles.into_iter().map(Into::into).collect()),
            statuses: filter.statuses.map(|statuses| statuses.into_iter().map(Into::into).collect()),
            created_from: filter.created_from,
            created_before: filter.created_before,
        }
    }
}

/// What people are sorted by. Text is sorted by its code points; who is alike, by age.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "By")]
enum UserOrderField {
    /// When the account was made.
    CreatedAt,
    /// The address.
    Email,
    /// The name in lower case; whoever has none stands before everybody else.
    Name,
    /// The latest sign-in; whoever never signed in stands before everybody else.
    LastSignInAt,
}

/// Which way a list goes.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum OrderDirection {
    /// The smallest first: `a` before `b`, older before newer.
    Asc,
    /// The largest first.
    Desc,
}

/// The order of a list of people.
#[derive(InputObject)]
struct UserOrder {
    /// By what.
    field: UserOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

/// The order that was asked for; otherwise the one of a prefix that stands alone, otherwise the newest first.
fn order_of(order: Option<&UserOrder>, filter: &Filter) -> Order {
    let prefix_alone = match (&filter.email, &filter.name, &filter.search) {
        (Some(_), None, None) => Some(By::Email),
        (None, Some(_), None) => Some(By::Name),
        _ => None,
    };
    match (order, prefix_alone) {
        (Some(order), _) => Order { by: order.field.into(), descending: order.direction == OrderDirection::Desc },
        (None, Some(by)) => Order { by, descending: false },
        (None, None) => Order::NEWEST,
    }
}

/// The letter of an order in cursors, which work in that order alone.
const fn letter(order: Order) -> u8 {
    let letter = match order.by {
        By::CreatedAt => b'c',
        By::Email => b'e',
        By::Name => b'n',
        By::LastSignInAt => b'l',
    };
    if order.descending { letter.to_ascii_uppercase() } else { letter }
}

fn cursor(order: Order, Position { key, id }: &Position) -> String {
    let key = match key {
        Key::Moment(at) => at.timestamp_micros().to_be_bytes().to_vec(),
        Key::Text(text) => text.clone().into_bytes(),
    };
    relay::pack(&[&[letter(order)], id.as_bytes().as_slice(), &key].concat())
}

fn place(order: Order, cursor: &str) -> Option<Position> {
    let bytes = relay::unpack(cursor)?;
    let (first, rest) = bytes.split_first()?;
    let (id, key) = rest.split_at_checked(16)?;
    let key = match order.by {
        _ if *first != letter(order) => return None,
        By::CreatedAt | By::LastSignInAt => Key::moment(i64::from_be_bytes(key.try_into().ok()?)),
        By::Email | By::Name => Key::text(String::from_utf8(key.to_vec()).ok()?),
    };
    Some(Position { key: key?, id: Uuid::from_slice(id).ok()? })
}

impl Listed for User {
    const NAME: &'static str = "User";
    type List = Filter;

    async fn count(ctx: &Context<'_>, filter: &Filter) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        let manager = Manager::require(domain, viewer, "users").await?;
        Ok(list::count(domain, manager, filter).await?)
    }
}

#[derive(Default)]
pub(crate) struct PeopleQuery;

#[Object]
impl PeopleQuery {
    /// People, newest first unless told otherwise; with one prefix and neither search nor order, in the order of that. For
    /// a MANAGER or more. Pages stay right while others sign up: nobody comes twice, nobody is missed.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, at most 100; 20 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor, which must be of the same order.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor, which must be of the same order.")] before: Option<
            String,
        >,
        #[graphql(desc = "Which people; all when left out.")] mut filter: Option<UserFilter>,
        #[graphql(desc = "In which order.")] order_by: Option<UserOrder>,
    ) -> Result<Connection<User>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let manager = Manager::require(domain, viewer, "users").await?;
        let search = filter.as_mut().and_then(|filter| filter.search.take());
        let filter = filter.map(Filter::from).unwrap_or_default().canonical(search.as_deref())?;
        let mut order = order_of(order_by.as_ref(), &filter);
        // A search that matches many users came in another order than requested, and continues in that.
        let continues =
            |cursor: &Option<String>| cursor.as_ref().is_some_and(|text| place(Order::NEWEST, text).is_some());
        if filter.search.is_some() && (continues(&after) || continues(&before)) {
            order = Order::NEWEST;
        }
        let page = Page::new(first, after.as_deref(), last, before.as_deref(), |text| place(order, text))?;
        let part = Part {
            most: page.fetch(),
            after: page.after.clone(),
            before: page.before.clone(),
            backward: page.backward,
        };
        let Listing { users, order } = list::list(domain, manager, &filter, order, &part).await?;
        let cursor = |(user, _): &(_, _)| cursor(order, &order.by.place(user));
        Ok(Connection::new(&page, users, cursor, |seen| User::seen(seen, viewer), filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_order_alone() {
        let id = Uuid::from_u128(7);
        for descending in [false, true] {
            for by in [By::CreatedAt, By::Email, By::Name, By::LastSignInAt] {
                let key = match by {
                    By::CreatedAt | By::LastSignInAt => Key::moment(1_795_000_000_123_456),
                    By::Email | By::Name => Key::text("é".repeat(200)),
                };
                let (order, expected) = (Order { by, descending }, Position { key: key.unwrap(), id });
                let text = cursor(order, &expected);
                assert_eq!(place(order, &text), Some(expected));
                assert_eq!(place(Order { descending: !descending, ..order }, &text), None);
                assert_eq!(place(order, &text.to_lowercase()), None);
                assert_eq!(place(order, &relay::cursor(id)), None);
            }
        }
    }

    #[test]
    fn a_cursor_that_nobody_was_given_is_none() {
        let order = Order { by: By::Name, descending: false };
        let with = |key: &[u8]| relay::pack(&[b"n".as_slice(), &[7; 16], key].concat());
        assert!(place(order, &with(b"ada")).is_some());
        for key in [b"a\0".as_slice(), b"\xff", &[b'a'; 900]] {
            assert_eq!(place(order, &with(key)), None, "{key:?}");
        }
        let order = Order { by: By::CreatedAt, descending: false };
        for key in [i64::MAX, i64::MIN] {
            let text = relay::pack(&[b"c".as_slice(), &[7; 16], &key.to_be_bytes()].concat());
            assert_eq!(place(order, &text), None);
        }
    }
}
