//! `signInOptions`: what pages and clients need before anyone signs in. It contains nothing secret.

use async_graphql::{Context, Enum, Object, SimpleObject};

use super::parts;
use crate::settings::{PASSWORD_MAX, Settings, SignUp};

/// How users sign in to this service.
#[derive(SimpleObject)]
struct SignInOptions {
    /// The name of the service, as in its emails.
    brand: String,
    /// The methods of signing in, preferred ones first. More may be added: ignore one that you don't know.
    methods: Vec<SignInMethod>,
    /// Who can create an account.
    sign_up: SignUpPolicy,
    /// The number of digits in an emailed code.
    code_length: i32,
    /// The policy for new passwords. `null` if passwords are off.
    password_policy: Option<PasswordPolicy>,
}

/// A method of signing in.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum SignInMethod {
    /// A code sent by email. Always available.
    EmailCode,
    /// A password.
    Password,
}

/// Who can create an account.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum SignUpPolicy {
    /// Everyone.
    Open,
    /// No one. Administrators create accounts.
    Closed,
    /// Everyone with an address at one of the operator's domains.
    Domains,
}

/// The policy for new passwords. A password must also not be common, known from a data breach, or built around the
/// email address, the name of the user or the name of the service.
#[derive(SimpleObject)]
struct PasswordPolicy {
    /// The minimum number of characters (Unicode code points).
    min_length: i32,
    /// The maximum number of characters (Unicode code points).
    max_length: i32,
}

impl From<&Settings> for SignInOptions {
    fn from(settings: &Settings) -> Self {
        let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let password = settings.methods.password;
        let policy = PasswordPolicy { min_length: count(settings.password_min), max_length: count(PASSWORD_MAX) };
        let methods = [Some(SignInMethod::EmailCode), password.then_some(SignInMethod::Password)];
        Self {
            brand: settings.brand.clone(),
            methods: methods.into_iter().flatten().collect(),
            sign_up: match settings.signup {
                SignUp::Open => SignUpPolicy::Open,
                SignUp::Closed => SignUpPolicy::Closed,
                SignUp::Domains(_) => SignUpPolicy::Domains,
            },
            code_length: i32::try_from(settings.limits.code_length).unwrap_or(i32::MAX),
            password_policy: password.then_some(policy),
        }
    }
}

#[derive(Default)]
pub(super) struct SignInQuery;

#[Object]
impl SignInQuery {
    /// Returns how users sign in to this service, before anyone does. Public. Alone in a query it ignores an invalid
    /// access token, as `login` does.
    async fn sign_in_options(&self, ctx: &Context<'_>) -> SignInOptions {
        let (domain, _) = parts(ctx);
        (&domain.settings).into()
    }
}
