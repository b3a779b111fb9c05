//! `doorcode user`: making, changing and looking at people. Each change is one call of the domain, which keeps the last
//! administrator and writes the audit trail.

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::{
    Format, Outcome, build, load_environment, people,
    print::{self, CommandError, complain, line},
    sessions, tell,
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
    /// Make an account.
    Create(Create),
    /// Change what a person may do, such as `doorcode user role you@example.com admin`.
    ///
    /// Makes the account if there is none, so this is how the first administrator comes to be. The last active
    /// administrator stays one.
    Role {
        #[command(flatten)]
        whom: Whom,
        /// What they may do from now on; each role may do all that the ones before it may.
        role: RoleName,
    },
    /// Give a person another address, for somebody who lost their mailbox.
    ///
    /// They are signed out everywhere, every known device is forgotten, and both addresses get a notice from a running
    /// server. The old mailbox cannot undo it.
    Email {
        #[command(flatten)]
        whom: Whom,
        /// The address that they sign in with from now on.
        #[arg(value_parser = EmailAddress::parse)]
        new: EmailAddress,
    },
    /// Keep a person out, and sign them out everywhere, at once.
    Suspend(Whom),
    /// Let a suspended or deleted person in again.
    Restore(Whom),
    /// Delete an account.
    ///
    /// The person is signed out everywhere and cannot sign in. Their account can be restored for some time
    /// (`DOORCODE_ERASE_AFTER`), then it is erased for good.
    Delete(Whom),
    /// Print what the log and the audit trail call an address, known or not.
    Hash {
        /// Any address.
        #[arg(value_parser = EmailAddress::parse)]
        email: EmailAddress,
    },
    /// Print what is known of a person.
    Show(Whom),
    /// List people, the newest account first.
    List(people::Which),
    /// List the sessions of a person, those that are open first, or end them all.
    Sessions(sessions::Sessions),
}

#[derive(Args)]
pub(super) struct Whom {
    /// The address that they sign in with.
    #[arg(value_parser = EmailAddress::parse)]
    email: EmailAddress,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
pub(super) struct Create {
    #[command(flatten)]
    whom: Whom,
    /// What the person may do; each role may do all that the ones before it may.
    #[arg(long, value_enum, default_value_t = RoleName::User)]
    role: RoleName,
    /// What the person wants to be called.
    #[arg(long, value_parser = Name::parse)]
    name: Option<Name>,
    /// The language of their mails: en, de, fr, es or ja.
    #[arg(long, value_parser = profile::language)]
    locale: Option<Locale>,
    /// Send them an invitation by mail. A running server sends it.
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

pub(super) async fn run(command: UserCommand) -> Outcome {
    match command {
        UserCommand::Sessions(sessions) => return sessions::run(sessions).await,
        UserCommand::List(which) => people::list(&build().await?, which).await?,
        UserCommand::Hash { email } => {
            let vault = Vault::new(&load_environment().await?.secrets)?;
            line(&vault.address_label(email.as_str()))?;
        }
        UserCommand::Show(whom) => {
            let app = build().await?;
            people::show(&app, &find(&app, &whom.email).await?, whom.format).await?;
        }
        UserCommand::Create(new) => create(&build().await?, new).await?,
        UserCommand::Delete(whom) => delete(&build().await?, &whom).await?,
        UserCommand::Role { whom, role } => {
            let change = Change { role: Some(role.into()), ..Change::default() };
            let app = build().await?;
            match user::id_of(&app.ctx, &whom.email).await {
                Err(Error::NotFound) => {
                    create(&app, Create { whom, role, name: None, locale: None, invite: false }).await?;
                }
                _ => change_one(&app, &whom, change).await?,
            }
        }
        UserCommand::Email { whom, new } => {
            change_one(&build().await?, &whom, Change { email: Some(new), ..Change::default() }).await?;
        }
        UserCommand::Suspend(whom) => {
            let change = Change { status: Some(UserStatus::Suspended), ..Change::default() };
            change_one(&build().await?, &whom, change).await?;
        }
        UserCommand::Restore(whom) => {
            let app = build().await?;
            let id = id_of(&app.ctx, &whom.email).await?;
            let restored = manage::restore(&app.ctx, By::CommandLine, id, None).await.map(Changed::done);
            changed(&app, restored, whom.format).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whose address it is.
pub(super) async fn id_of(ctx: &Ctx, email: &EmailAddress) -> Result<Uuid, CommandError> {
    user::id_of(ctx, email).await.map_err(|error| match error {
        Error::NotFound => CommandError::Failed(format!("{}: nobody has this address", email.as_str())),
        error => error.into(),
    })
}

async fn find(app: &App, email: &EmailAddress) -> Result<users::Model, CommandError> {
    let access = Shell::of(app).access_to(id_of(&app.ctx, email).await?);
    let found = list::find_each(&app.ctx, &[access]).await?.pop();
    found.map(|(_, person)| person).ok_or_else(|| CommandError::Failed("this person was erased just now".into()))
}

async fn create(app: &App, new: Create) -> Result<(), CommandError> {
    let Create { whom: Whom { email, format }, role, name, locale, invite } = new;
    let new = NewPerson { email: &email, name, role: role.into(), locale, invite };
    let created = manage::create(&app.ctx, By::CommandLine, new).await;
    changed(app, created, format).await?;
    if invite {
        complain("the invitation is sent by a running server: now, or when one is started within a week");
    }
    Ok(())
}

async fn change_one(app: &App, whom: &Whom, change: Change) -> Result<(), CommandError> {
    let person = find(app, &whom.email).await?;
    if person.status == UserStatus::Deleted {
        let email = &person.email;
        return Err(CommandError::Failed(format!(
            "this account is deleted: first restore it with `doorcode user restore {email}`"
        )));
    }
    let done = manage::change(&app.ctx, By::CommandLine, person.id, change).await;
    changed(app, done, whom.format).await.map(drop)
}

async fn delete(app: &App, whom: &Whom) -> Result<(), CommandError> {
    let id = id_of(&app.ctx, &whom.email).await?;
    let deleted = manage::delete(&app.ctx, By::CommandLine, id, None).await;
    let person = changed(app, deleted, whom.format).await?;
    let kept = TimeDelta::from_std(app.ctx.settings.erase_after).unwrap_or_default();
    let until = person.deleted_at.and_then(|at| at.checked_add_signed(kept));
    if let Some(until) = until.filter(|_| !whom.format.json) {
        line(&format!("until {} `doorcode user restore {}` brings it back", print::moment(until), person.email))?;
    }
    Ok(())
}

/// Prints what became of a change, or tells why it was not made.
async fn changed(app: &App, changed: Result<Changed, Error>, format: Format) -> Result<users::Model, CommandError> {
    match changed? {
        Changed::Done(person) => {
            tell(app).await;
            if format.json {
                print::json(&people::object(&person))?;
            } else {
                print::table(None, &[people::cells(&person)])?;
            }
            Ok(*person)
        }
        Changed::EmailTaken => {
            Err(CommandError::Failed("somebody has this address already; `doorcode user show` tells who".into()))
        }
        Changed::LastAdmin => Err(CommandError::Failed(
            "this is the last active administrator: make another one first, with `doorcode user role EMAIL admin`"
                .into(),
        )),
    }
}
