//! Custom scalars, each with a link to its specification.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, Scalar, ScalarType, ServerResult, Value,
    parser::types::Field,
    registry::{MetaType, MetaTypeId, Registry},
};
use serde::Serialize;

/// The description of `DateTime`, which the GraphQL library defines.
pub(super) const DATE_TIME: &str = "A date and time in RFC 3339 format, such as `2026-11-21T08:14:50.876797+00:00`.\n\
    Always UTC in responses; arguments accept any offset.";

/// An email address in canonical form.
pub(super) struct EmailAddress(pub String);

/// An email address in canonical form: ASCII, lower case, with an internationalized domain in Punycode. Maximum 254
/// characters.
#[Scalar(specified_by_url = "https://datatracker.ietf.org/doc/html/rfc5321#section-4.1.2")]
impl ScalarType for EmailAddress {
    fn parse(value: Value) -> async_graphql::InputValueResult<Self> {
        match value {
            Value::String(text) => crate::email_address::EmailAddress::parse(&text)
                .map(|email| Self(email.as_str().to_owned()))
                .map_err(async_graphql::InputValueError::custom),
            other => Err(async_graphql::InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// Any JSON value. The library's type of this name has no link to a specification.
pub(super) struct Json<T>(pub T);

impl<T: Serialize + Send + Sync> OutputType for Json<T> {
    fn type_name() -> Cow<'static, str> {
        "JSON".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Scalar, |_| MetaType::Scalar {
            name: Self::type_name().into_owned(),
            description: Some("Any JSON value.".to_owned()),
            is_valid: None,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            specified_by_url: Some("https://datatracker.ietf.org/doc/html/rfc8259".to_owned()),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        })
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(async_graphql::to_value(&self.0).unwrap_or_default())
    }
}
