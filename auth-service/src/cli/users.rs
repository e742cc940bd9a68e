//! `auth-service users …`: what an operator does to users. Passwords come from a prompt or standard input, never from an argument.

use std::io::{BufRead, IsTerminal, stdin};

use chrono::{DateTime, Utc};
use clap::Subcommand;
use secrecy::SecretString;
use serde::Serialize;
use shared_claims::random;
use uuid::Uuid;

use super::Failed;
use crate::audit;
use crate::domain::password::NewPassword;
use crate::domain::session::{EndReason, Ending, Which};
use crate::domain::user::{Email, User, Username};
use crate::startup::Service;
use crate::state::State;
use crate::stores::{Inserted, NewUser, Schema};

#[derive(Subcommand)]
pub(super) enum UsersCommand {
    /// Adds a user. The password is asked for, or read as one line from standard input.
    Add {
        /// 3 to 32 of a-z 0-9 . _ -
        username: String,
        /// Their e-mail address.
        email: String,
        /// Print the new user as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists all users.
    List {
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Disables a user and ends their sessions.
    Disable {
        /// A username, an e-mail address or an id.
        user: String,
        /// Print the user as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lets a disabled user log in again.
    Enable {
        /// A username, an e-mail address or an id.
        user: String,
        /// Print the user as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Gives a user another password, asked for or read from standard input, and ends their sessions.
    SetPassword {
        /// A username, an e-mail address or an id.
        user: String,
        /// Print the user as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Deletes a user and ends their sessions.
    Delete {
        /// A username, an e-mail address or an id.
        user: String,
        /// Print the user as JSON.
        #[arg(long)]
        json: bool,
    },
}

impl UsersCommand {
    /// A command that only looks leaves the schema as it is.
    pub(super) fn schema(&self) -> Schema {
        if matches!(self, Self::List { .. }) { Schema::AsItIs } else { Schema::UpToDate }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    id: Uuid,
    username: &'a str,
    email: &'a str,
    disabled: bool,
    created_at: DateTime<Utc>,
}

pub(super) async fn run(command: UsersCommand, service: &Service) -> Result<(), Failed> {
    let state = service.state();
    match command {
        UsersCommand::Add { username, email, json } => add(state, &username, &email, json).await,
        UsersCommand::List { json } => list(state, json).await,
        UsersCommand::Disable { user, json } => {
            let user = disable(state, find(state, &user).await?).await?;
            print(&user, json, || format!("disabled {}", user.username))
        }
        UsersCommand::Enable { user, json } => {
            let user = enable(state, find(state, &user).await?).await?;
            print(&user, json, || format!("enabled {}", user.username))
        }
        UsersCommand::SetPassword { user, json } => {
            let user = set_password(state, find(state, &user).await?).await?;
            print(&user, json, || format!("changed the password of {}", user.username))
        }
        UsersCommand::Delete { user, json } => {
            let user = delete(state, find(state, &user).await?).await?;
            print(&user, json, || format!("deleted {}", user.username))
        }
    }
}

/// Tells what was done: the user as they are now, or as they were, or a sentence.
fn print(user: &User, json: bool, sentence: impl FnOnce() -> String) -> Result<(), Failed> {
    let text = if json { serde_json::to_string(&line(user))? } else { sentence() };
    println!("{text}");
    Ok(())
}

async fn add(state: &State, username: &str, email: &str, json: bool) -> Result<(), Failed> {
    let username = Username::parse(username).map_err(|why| Failed::refused(format!("the username {why}")))?;
    let email = Email::parse(email).map_err(|why| Failed::refused(format!("the e-mail address {why}")))?;
    let password = read_new_password(&[username.as_str(), email.as_str()])?;
    let password_hash = state.passwords.hash(password.into_secret()).await?;
    let new = NewUser { id: random::uuid(), username, email, password_hash, created_at: state.now() };
    match state.users.insert(&new).await? {
        Inserted::Taken { username: true, .. } => {
            return Err(Failed::refused(format!("there is a user {}", new.username.as_str())));
        }
        Inserted::Taken { .. } => return Err(Failed::refused(format!("there is a user with {}", new.email.as_str()))),
        Inserted::Yes => audit::user_changed(new.id, "added"),
    }
    let user = new.into_user();
    print(&user, json, || format!("added {} with id {}", user.username, user.id))
}

async fn list(state: &State, json: bool) -> Result<(), Failed> {
    let users = state.users.list().await?;
    let lines: Vec<_> = users.iter().map(line).collect();
    if json {
        println!("{}", serde_json::to_string(&lines)?);
        return Ok(());
    }
    for line in lines {
        let standing = if line.disabled { "disabled" } else { "enabled" };
        println!("{}  {:<32}  {:<8}  {}", line.id, line.username, standing, line.email);
    }
    Ok(())
}

fn line(user: &User) -> Line<'_> {
    let User { id, username, email, is_disabled, created_at, .. } = user;
    Line { id: *id, username, email, disabled: *is_disabled, created_at: *created_at }
}

async fn disable(state: &State, user: User) -> Result<User, Failed> {
    exists(state.users.set_disabled(user.id, true).await?)?;
    audit::user_changed(user.id, "disabled");
    end_all(state, &user, EndReason::UserDisabled).await?;
    Ok(User { is_disabled: true, ..user })
}

async fn enable(state: &State, user: User) -> Result<User, Failed> {
    exists(state.users.set_disabled(user.id, false).await?)?;
    audit::user_changed(user.id, "enabled");
    Ok(User { is_disabled: false, ..user })
}

async fn set_password(state: &State, user: User) -> Result<User, Failed> {
    let password = read_new_password(&[&user.username, &user.email])?;
    let hash = state.passwords.hash(password.into_secret()).await?;
    exists(state.users.set_password(&user, &hash).await?.is_some())?;
    audit::user_changed(user.id, "password_set");
    end_all(state, &user, EndReason::PasswordChanged).await?;
    Ok(user)
}

async fn delete(state: &State, user: User) -> Result<User, Failed> {
    exists(state.users.delete(user.id).await?)?;
    audit::user_changed(user.id, "deleted");
    end_all(state, &user, EndReason::UserDisabled).await?;
    Ok(user)
}

// The user has changed already: a session that could not be ended here ends at its next refresh.
async fn end_all(state: &State, user: &User, reason: EndReason) -> Result<(), Failed> {
    match state.sessions.end(user.id, Which::All, None, reason, &state.rules, state.now()).await {
        Ok(Ending::Ended(ended)) => audit::sessions_ended(user.id, &ended, reason, None),
        Ok(Ending::AskerNotLive) => {}
        Err(error) => {
            let said =
                "the user is changed, but their sessions could not be ended at once; they end at their next refresh";
            return Err(Failed { code: 1, error: format!("{said} ({error})").into() });
        }
    }
    Ok(())
}

/// The user that an operator means.
pub(super) async fn find(state: &State, named: &str) -> Result<User, Failed> {
    let found = match Uuid::parse_str(named) {
        Ok(id) => state.users.find(id).await?,
        Err(_) => state.users.find_by_login(named).await?,
    };
    found.ok_or_else(|| Failed::not_found(format!("there is no user {named}")))
}

fn exists(is_there: bool) -> Result<(), Failed> {
    let changed = || Failed::not_found("the user was changed or deleted by somebody else meanwhile; look again");
    is_there.then_some(()).ok_or_else(changed)
}

fn read_new_password(about: &[&str]) -> Result<NewPassword, Failed> {
    let password = if stdin().is_terminal() {
        let first = rpassword::prompt_password("New password: ")?;
        if first != rpassword::prompt_password("Once more: ")? {
            return Err(Failed::refused("the two passwords differ"));
        }
        first
    } else {
        let mut line = String::new();
        stdin().lock().read_line(&mut line)?;
        line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line)).to_owned()
    };
    let refused = |why| Failed::refused(format!("the password {why}"));
    NewPassword::parse(SecretString::from(password), about).map_err(refused)
}
