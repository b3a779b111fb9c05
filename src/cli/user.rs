//! `doorcode user`: creates, changes and lists users. Each change is one call of the domain, which keeps the last
//! administrator and writes the audit trail.

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::{
    Format, Outcome, build, load_environment, moving, people,
    print::{self, CommandError, complain, line},
    publish_events, sessions,
    stop::ExitOnSignal,
};
use crate::{
    app::App,
    db::entity::{Role, UserStatus, users},
    domain::{
        Ctx,
        access::Shell,
        mail::template::Locale,
        user::{
            self, list,
            manage::{self, By, Change, Changed, NewPerson},
            name::Name,
            profile,
        },
        vault::Vault,
    },
    email_address::EmailAddress,
    error::Error,
};

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Create an account.
    Create(Create),
    /// Set the role of a user, for example `doorcode user role you@example.com admin`.
    ///
    /// Creates the account if it does not exist, so you can create the first administrator this way. The last active
    /// administrator cannot be demoted.
    Role {
        #[command(flatten)]
        account: AccountArgs,
        /// New role. Each role includes the permissions of the roles listed before it.
        role: RoleName,
    },
    /// Change the email address of a user, for example if they lost access to their mailbox.
    ///
    /// The user is signed out everywhere and all known devices are forgotten. The server notifies both addresses. The
    /// old address cannot undo the change.
    Email {
        #[command(flatten)]
        account: AccountArgs,
        /// New email address.
        #[arg(value_parser = EmailAddress::parse)]
        new: EmailAddress,
    },
    /// Suspend a user and sign them out everywhere at once.
    Suspend(AccountArgs),
    /// Restore a suspended or deleted user.
    Restore(AccountArgs),
    /// Delete an account.
    ///
    /// The user is signed out everywhere and cannot sign in. The account can be restored until `DOORCODE_ERASE_AFTER`
    /// has passed, and is then erased for good.
    Delete(AccountArgs),
    /// Print the hash that stands for an email address in the log and the audit trail.
    Hash {
        /// Any email address, with or without an account.
        #[arg(value_parser = EmailAddress::parse)]
        email: EmailAddress,
    },
    /// Show one user.
    Show(AccountArgs),
    /// List users, newest account first.
    List(people::ListArgs),
    /// List the sessions of a user, open ones first, or end them all.
    Sessions(sessions::Sessions),
    /// Import users from a file, with the password hashes of another system. A dry run without `--apply`.
    ///
    /// Lists every problem of the file with its line. A file with a problem is not applied at all. An import that was
    /// interrupted can be started again. `docs/operate/moving.md` describes the file.
    Import(moving::Import),
    /// Export all active users to a file, with their password hashes in plain text.
    ///
    /// Only the user who runs the command can read the file. `doorcode user import` reads it.
    Export(moving::Export),
}

#[derive(Args)]
pub(super) struct AccountArgs {
    /// Email address of the user.
    #[arg(value_parser = EmailAddress::parse)]
    email: EmailAddress,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
pub(super) struct Create {
    #[command(flatten)]
    account: AccountArgs,
    /// Role. Each role includes the permissions of the roles listed before it.
    #[arg(long, value_enum, default_value_t = RoleName::User)]
    role: RoleName,
    /// Name of the user.
    #[arg(long, value_parser = Name::parse)]
    name: Option<Name>,
    /// Language of their emails: en, de, fr, es or ja.
    #[arg(long, value_parser = profile::language)]
    locale: Option<Locale>,
    /// Send an invitation by email. A running server sends it.
    #[arg(long)]
    invite: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    Guest,
    User,
    Manager,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Guest => Self::Guest,
            RoleName::User => Self::User,
            RoleName::Manager => Self::Manager,
            RoleName::Admin => Self::Admin,
        }
    }
}

pub(super) async fn run(command: UserCommand, on_signal: ExitOnSignal) -> Outcome {
    match command {
        UserCommand::Sessions(sessions) => return sessions::run(sessions).await,
        UserCommand::Import(file) => return moving::import(file).await,
        UserCommand::Export(file) => return moving::export(file, on_signal).await,
        UserCommand::List(which) => people::list(&build().await?, which).await?,
        UserCommand::Hash { email } => {
            let vault = Vault::new(&load_environment().await?.secrets)?;
            line(&vault.address_label(email.as_str()))?;
        }
        UserCommand::Show(account) => {
            let app = build().await?;
            people::show(&app, &find(&app, &account.email).await?, account.format).await?;
        }
        UserCommand::Create(new) => create(&build().await?, new).await?,
        UserCommand::Delete(account) => delete(&build().await?, &account).await?,
        UserCommand::Role { account, role } => {
            let change = Change { role: Some(role.into()), ..Change::default() };
            let app = build().await?;
            match user::id_of(&app.ctx, &account.email).await {
                Err(Error::NotFound) => {
                    create(&app, Create { account, role, name: None, locale: None, invite: false }).await?;
                }
                _ => change_one(&app, &account, change).await?,
            }
        }
        UserCommand::Email { account, new } => {
            change_one(&build().await?, &account, Change { email: Some(new), ..Change::default() }).await?;
        }
        UserCommand::Suspend(account) => {
            let change = Change { status: Some(UserStatus::Suspended), ..Change::default() };
            change_one(&build().await?, &account, change).await?;
        }
        UserCommand::Restore(account) => {
            let app = build().await?;
            let id = id_of(&app.ctx, &account.email).await?;
            let restored = manage::restore(&app.ctx, By::CommandLine, id, None).await.map(Changed::done);
            changed(&app, restored, account.format).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn id_of(ctx: &Ctx, email: &EmailAddress) -> Result<Uuid, CommandError> {
    user::id_of(ctx, email).await.map_err(|error| match error {
        Error::NotFound => CommandError::Failed(format!("no user has the address {}", email.as_str())),
        error => error.into(),
    })
}

async fn find(app: &App, email: &EmailAddress) -> Result<users::Model, CommandError> {
    let access = Shell::of(app).access_to(id_of(&app.ctx, email).await?);
    let found = list::find_each(&app.ctx, &[access]).await?.pop();
    found.map(|(_, user)| user).ok_or_else(|| CommandError::Failed("this user has just been erased".into()))
}

async fn create(app: &App, new: Create) -> Result<(), CommandError> {
    let Create { account: AccountArgs { email, format }, role, name, locale, invite } = new;
    let new = NewPerson { email: &email, name, role: role.into(), locale, invite };
    let created = manage::create(&app.ctx, By::CommandLine, new).await;
    changed(app, created, format).await?;
    if invite {
        complain("a running server sends the invitation now, or when it starts within a week");
    }
    Ok(())
}

async fn change_one(app: &App, account: &AccountArgs, change: Change) -> Result<(), CommandError> {
    let user = find(app, &account.email).await?;
    if user.status == UserStatus::Deleted {
        let email = &user.email;
        return Err(CommandError::Failed(format!(
            "this account is deleted: restore it first with `doorcode user restore {email}`"
        )));
    }
    let done = manage::change(&app.ctx, By::CommandLine, user.id, change).await;
    changed(app, done, account.format).await.map(drop)
}

async fn delete(app: &App, account: &AccountArgs) -> Result<(), CommandError> {
    let id = id_of(&app.ctx, &account.email).await?;
    let deleted = manage::delete(&app.ctx, By::CommandLine, id, None).await;
    let user = changed(app, deleted, account.format).await?;
    let kept = TimeDelta::from_std(app.ctx.settings.erase_after).unwrap_or_default();
    let until = user.deleted_at.and_then(|at| at.checked_add_signed(kept));
    if let Some(until) = until.filter(|_| !account.format.json) {
        line(&format!("`doorcode user restore {}` restores it until {}", user.email, print::moment(until)))?;
    }
    Ok(())
}

/// Prints the changed user, or returns why nothing changed.
async fn changed(app: &App, changed: Result<Changed, Error>, format: Format) -> Result<users::Model, CommandError> {
    match changed? {
        Changed::Done(user) => {
            publish_events(app).await;
            if format.json {
                print::json(&people::object(&user))?;
            } else {
                print::table(None, &[people::cells(&user)])?;
            }
            Ok(*user)
        }
        Changed::EmailTaken => {
            Err(CommandError::Failed("another user already has this address; see `doorcode user show`".into()))
        }
        Changed::LastAdmin => Err(CommandError::Failed(
            "this is the last active administrator: create another one first with `doorcode user role EMAIL admin`"
                .into(),
        )),
    }
}
