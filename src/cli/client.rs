//! `doorcode client`: registers, lists and removes applications that users can sign in to.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::{
    Format, Outcome, build,
    print::{self, CommandError, complain, line},
    publish_events,
};
use crate::{
    domain::{
        access::Shell,
        client::{self, Listed},
    },
    error::Error,
    settings::clients::{Client, Registration},
};

#[derive(Subcommand)]
pub(super) enum ClientCommand {
    /// Register an application, so that users can sign in to it. Running servers know it at once.
    Add(Add),
    /// List all applications: those in the file of `DOORCODE_CLIENTS`, then those registered here.
    List(Format),
    /// Remove an application that was registered here. Its users are signed out of it at once.
    Remove {
        /// The id, as `doorcode client list` prints it.
        id: String,
    },
}

#[derive(Args)]
pub(super) struct Add {
    /// The `client_id` that the application sends: letters, digits and `-._~`.
    id: String,
    /// Where the application waits for its users to come back. Can be repeated.
    ///
    /// `https://` URLs, `http://` URLs of this machine (`localhost`, `127.0.0.1` or `[::1]`), or a private scheme such
    /// as `com.example.app:/callback`. The application must send the same text; only the port of `127.0.0.1` and
    /// `[::1]` may differ.
    #[arg(long = "redirect", value_name = "URI", required = true)]
    redirect_uris: Vec<String>,
    /// Name of the application, which users see when they sign in to it.
    #[arg(long)]
    name: String,
    /// The `aud` claim of its access tokens. Without it, that of this server, which then accepts the tokens itself.
    #[arg(long, value_name = "URL")]
    audience: Option<String>,
    /// Logo as a `data:` URL of a small image, because the pages load nothing from other hosts.
    #[arg(long, value_name = "URL")]
    logo: Option<String>,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(command: ClientCommand) -> Outcome {
    let app = build().await?;
    let (ctx, shell) = (&*app.ctx, Shell::of(&app));
    match command {
        ClientCommand::Add(Add { id, redirect_uris, name, audience, logo, format }) => {
            let new = Client::check(Registration { id, name, redirect_uris, audience, logo })?;
            client::add(ctx, shell, &new).await?;
            publish_events(&app).await;
            print(&[Listed { client: new, in_file: false }], format)?;
        }
        ClientCommand::List(format) => print(&client::list(ctx, shell).await?, format)?,
        ClientCommand::Remove { id } => {
            let ended = client::remove(ctx, shell, &id).await.map_err(|error| match error {
                Error::NotFound => CommandError::Failed(format!("no client has the id `{id}`")),
                error => error.into(),
            })?;
            publish_events(&app).await;
            let sessions = if ended == 1 { "session" } else { "sessions" };
            line(&format!("removed {id} and ended {ended} {sessions}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(clients: &[Listed], format: Format) -> Result<(), CommandError> {
    if format.json {
        return clients.iter().try_for_each(|listed| print::json(&object(listed)));
    }
    if clients.is_empty() {
        complain("no application is registered");
        return Ok(());
    }
    let heading = ["ID", "NAME", "FROM", "AUDIENCE", "REDIRECT URIS"];
    print::table(Some(heading), &clients.iter().map(cells).collect::<Vec<_>>())
}

fn cells(Listed { client, in_file }: &Listed) -> [String; 5] {
    let uris: Vec<_> = client.redirect_uris.iter().map(ToString::to_string).collect();
    [
        client.id.clone(),
        client.name.clone(),
        (if *in_file { "file" } else { "database" }).to_owned(),
        client.audience.clone().unwrap_or_else(|| "this server".to_owned()),
        uris.join(" "),
    ]
}

fn object(Listed { client, in_file }: &Listed) -> Json {
    let uris: Vec<_> = client.redirect_uris.iter().map(ToString::to_string).collect();
    json!({
        "id": client.id, "name": client.name, "redirectUris": uris, "audience": client.audience, "logo": client.logo,
        "inFile": in_file,
    })
}
