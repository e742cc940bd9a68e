//! `auth-service sessions …`: what an operator sees and ends of somebody's sessions.

use clap::Subcommand;
use uuid::Uuid;

use super::Failed;
use super::users::find;
use crate::audit;
use crate::domain::session::{EndReason, Ending, Session, Which};
use crate::startup::Service;
use crate::state::State;
use crate::stores::Schema;

#[derive(Subcommand)]
pub(super) enum SessionsCommand {
    /// Lists a user's live sessions, last used first.
    List {
        /// A username, an e-mail address or an id.
        user: String,
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Ends one of a user's sessions, or all of them.
    End {
        /// A username, an e-mail address or an id.
        user: String,
        /// The id of the session.
        #[arg(required_unless_present = "all")]
        session: Option<Uuid>,
        /// End every session of the user.
        #[arg(long, conflicts_with = "session")]
        all: bool,
        /// Print the sessions that have ended as a JSON array.
        #[arg(long)]
        json: bool,
    },
}

impl SessionsCommand {
    /// A command that only looks leaves the schema as it is.
    pub(super) fn schema(&self) -> Schema {
        if matches!(self, Self::List { .. }) { Schema::AsItIs } else { Schema::UpToDate }
    }
}

pub(super) async fn run(command: SessionsCommand, service: &Service) -> Result<(), Failed> {
    let state = service.state();
    match command {
        SessionsCommand::List { user, json } => list(state, &user, json).await,
        SessionsCommand::End { user, session, json, .. } => {
            end(state, &user, session.map_or(Which::All, Which::One), json).await
        }
    }
}

async fn list(state: &State, user: &str, json: bool) -> Result<(), Failed> {
    let user = find(state, user).await?;
    let sessions = state.sessions.list(user.id, &state.rules, state.now()).await?;
    if json {
        println!("{}", sessions.iter().map(described).collect::<serde_json::Value>());
        return Ok(());
    }
    for session in sessions {
        let (last_use, address) = (session.rotated_at.format("%F %T UTC"), session.ip_address);
        println!("{}  last used {last_use} from {address}  {}", session.id, session.device_name);
    }
    Ok(())
}

// Neither its random value nor a digest.
fn described(session: &Session) -> serde_json::Value {
    serde_json::json!({
        "id": session.id,
        "deviceName": session.device_name,
        "ipAddress": session.ip_address,
        "createdAt": session.created_at,
        "lastUsedAt": session.rotated_at,
        "expiresAt": session.expires_at,
    })
}

async fn end(state: &State, user: &str, which: Which, json: bool) -> Result<(), Failed> {
    // A user who is gone may have sessions left for a moment; an id is enough to end them.
    let user_id = match Uuid::parse_str(user) {
        Ok(id) => id,
        Err(_) => find(state, user).await?.id,
    };
    let ending = state.sessions.end(user_id, which, None, EndReason::Admin, &state.rules, state.now()).await?;
    let ended = match ending {
        Ending::Ended(ended) => ended,
        Ending::AskerNotLive => Vec::new(),
    };
    if ended.is_empty() && which != Which::All {
        return Err(Failed::not_found("there is no such session of this user"));
    }
    audit::sessions_ended(user_id, &ended, EndReason::Admin, None);
    if json {
        println!("{}", serde_json::to_string(&ended)?);
    } else if ended.is_empty() {
        println!("there was no session to end");
    } else {
        println!("ended {}", ended.iter().map(|session| session.id.to_string()).collect::<Vec<_>>().join(" "));
    }
    Ok(())
}
