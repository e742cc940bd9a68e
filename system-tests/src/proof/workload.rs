//! Clients of one user that do anything at any time: they log in, refresh, repeat, present spent tokens, look, log out and end sessions,
//! all of them with everything that any of them was ever given.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use auth_service::domain::session::{EndReason, Which};
use fastrand::Rng;
use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::json;

use super::history::{Call, Identity, Operation, Outcome, Recorder};
use super::machine::number_of;
use super::seed::{choices, weighted};
use crate::client::{Answer, Answered, Client, EndedSession, SignedIn, Tokens};
use crate::people::Person;
use crate::tokens::parts;

/// An answer that has not come by then is one that nobody knows.
const PATIENCE: Duration = Duration::from_secs(4);
/// Keys that thieves try, beside that of the client itself.
const KEYS: u8 = 3;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Clients at once.
    pub clients: usize,
    /// Calls of each.
    pub calls: usize,
}

/// What the clients of one user did.
pub struct Done {
    /// For the checker.
    pub operations: Vec<Operation>,
    /// Tokens that differ from another of the same session and generation: both would be live.
    pub double_tokens: usize,
}

/// Lets the clients of one user do what they like, each at the next instance.
pub async fn run(person: &Person, instances: &[Client], load: Load, seed: u64) -> Done {
    let user = User { person, recorder: Recorder::default(), purse: Mutex::default() };
    let clients = (0..load.clients).map(async |number| {
        let mut rng = choices(seed, number as u64);
        for call in 0..load.calls {
            let instance = &instances[(number + call) % instances.len()];
            user.act(number, instance, &mut rng).await;
        }
    });
    join_all(clients).await;
    let double_tokens = user.purse().double_tokens;
    Done { operations: user.recorder.into_operations(), double_tokens }
}

/// Everything that any client of the user was given.
#[derive(Default)]
struct Purse {
    sessions: Vec<Known>,
    double_tokens: usize,
}

struct Known {
    identity: Identity,
    access_token: String,
    refresh_tokens: BTreeMap<u64, String>,
}

impl Purse {
    fn put(&mut self, tokens: &Tokens) -> (Identity, u64) {
        let (_, claims) = parts(&tokens.refresh_token);
        let (random, _) = claims["jti"].as_str().and_then(|jti| jti.split_once('.')).expect("RANDOM.GENERATION");
        let random = serde_json::from_value(json!(random)).expect("16 bytes");
        let generation = claims["gen"].as_u64().expect("a generation");
        let identity = Identity { id: tokens.session_id, random };
        let known = self.sessions.iter().position(|known| known.identity.id == identity.id).unwrap_or_else(|| {
            let access_token = tokens.access_token.clone();
            self.sessions.push(Known { identity, access_token, refresh_tokens: BTreeMap::new() });
            self.sessions.len() - 1
        });
        let before = self.sessions[known].refresh_tokens.insert(generation, tokens.refresh_token.clone());
        if before.is_some_and(|before| before != tokens.refresh_token) {
            self.double_tokens += 1;
        }
        (identity, generation)
    }
}

#[derive(Clone, Copy)]
enum Wish {
    Login,
    Refresh,
    Repeat,
    Reuse,
    Steal,
    Logout,
    End,
    EndOthers,
    EndAll,
    List,
}

/// More refreshes than anything else, and few things that end many sessions, so that sessions live long enough to be raced for.
const WISHES: [(u32, Wish); 10] = [
    (8, Wish::Login),
    (34, Wish::Refresh),
    (18, Wish::Repeat),
    (3, Wish::Reuse),
    (4, Wish::Steal),
    (6, Wish::Logout),
    (5, Wish::End),
    (2, Wish::EndOthers),
    (1, Wish::EndAll),
    (12, Wish::List),
];

/// What a client is about to send.
struct Intent {
    call: Call,
    token: String,
}

struct User<'a> {
    person: &'a Person,
    recorder: Recorder,
    purse: Mutex<Purse>,
}

impl User<'_> {
    async fn act(&self, number: usize, client: &Client, rng: &mut Rng) {
        let Intent { call, token } = self.intent(weighted(rng, &WISHES), rng);
        let make = async |number| {
            let request = self.request(client, &call, &token, number);
            let answer = request.timeout(PATIENCE).try_answer().await.ok().filter(|answer| answer.status != 503)?;
            Some(self.outcome(&call, &answer))
        };
        self.recorder.record(number, call, make).await;
    }

    fn intent(&self, wish: Wish, rng: &mut Rng) -> Intent {
        let purse = self.purse();
        let login = Intent { call: Call::Login, token: String::new() };
        // Mostly the latest sessions, for the others have mostly ended.
        let latest = purse.sessions.len().saturating_sub(if rng.u8(..8) == 0 { usize::MAX } else { 3 });
        let Some(known) = rng.choice(&purse.sessions[latest..]) else { return login };
        let other = rng.choice(&purse.sessions[latest..]).unwrap_or(known);
        let last = *known.refresh_tokens.keys().last().expect("a session has a token");
        let refresh = |generation: u64, key| {
            let generation = if known.refresh_tokens.contains_key(&generation) { generation } else { last };
            let call = Call::Refresh { session: known.identity, generation, key };
            Intent { call, token: known.refresh_tokens[&generation].clone() }
        };
        let asking = |call| Intent { call, token: known.access_token.clone() };
        let id = known.identity.id;
        match wish {
            Wish::Login => login,
            // A client's tabs share a key, which is another one for each token.
            Wish::Refresh => refresh(last, Some(0)),
            Wish::Repeat => refresh(last.saturating_sub(1), Some(0)),
            Wish::Reuse => refresh(last.saturating_sub(rng.u64(1..4)), Some(0)),
            Wish::Steal => refresh(last.saturating_sub(rng.u64(..2)), rng.bool().then(|| rng.u8(1..KEYS))),
            Wish::Logout => {
                let token = rng.choice(known.refresh_tokens.values()).expect("a session has a token").clone();
                Intent { call: Call::Logout(known.identity), token }
            }
            Wish::End => asking(Call::End(id, Which::One(other.identity.id))),
            Wish::EndOthers => asking(Call::End(id, Which::AllBut(id))),
            Wish::EndAll => asking(Call::End(id, Which::All)),
            Wish::List => asking(Call::List(id)),
        }
    }

    fn request(&self, client: &Client, call: &Call, token: &str, number: usize) -> RequestBuilder {
        let delete = |path: &str| client.request(Method::DELETE, path).bearer_auth(token);
        match call {
            Call::Login => client.post("/login", &self.person.credentials_on(&number.to_string())),
            Call::Refresh { generation, key, .. } => {
                let request = client.post("/refresh-token", &json!({ "refreshToken": token }));
                match key {
                    Some(key) => request.header("Idempotency-Key", key_text(*key, *generation)),
                    None => request,
                }
            }
            Call::Logout(_) => client.post("/logout", &json!({ "refreshToken": token })),
            Call::End(_, Which::One(id)) => delete(&format!("/sessions/{id}")),
            Call::End(_, Which::AllBut(_)) => delete("/sessions?others=true"),
            Call::End(..) => delete("/sessions"),
            Call::List(_) => client.get("/sessions").bearer_auth(token),
        }
    }

    fn outcome(&self, call: &Call, answer: &Answer) -> Outcome {
        match (call, answer.status) {
            (Call::Login, 200) => {
                let SignedIn { tokens, ended_sessions } = answer.read(200);
                let (identity, _) = self.purse().put(&tokens);
                let ended = ended_sessions.iter().map(|EndedSession { device_name, .. }| number_of(device_name));
                Outcome::SignedIn(identity, ended.collect())
            }
            (Call::Refresh { session, .. }, 200) => {
                let (identity, generation) = self.purse().put(&answer.tokens());
                if identity != *session {
                    return Outcome::Strange(200, "of another session".to_owned());
                }
                Outcome::Granted(generation)
            }
            (Call::List(_), 200) => {
                let live: Vec<Listed> = answer.read(200);
                Outcome::Listed(live.iter().map(|live| number_of(&live.device_name)).collect())
            }
            (Call::Logout(_) | Call::End(..), 204) => Outcome::Done,
            (_, status) => refused(status, answer),
        }
    }

    fn purse(&self) -> MutexGuard<'_, Purse> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    device_name: String,
}

/// The key of this number for the token of one generation.
fn key_text(key: u8, generation: u64) -> String {
    format!("key-{key}-of-generation-{generation}")
}

fn refused(status: u16, answer: &Answer) -> Outcome {
    let problem = answer.json();
    let code = problem["code"].as_str().unwrap_or_default();
    let reason = problem.get("reason").cloned().map(serde_json::from_value::<EndReason>);
    match (status, code, reason) {
        (403, "refresh_token_reused", None) => Outcome::Reused,
        (403, "session_ended", None) => Outcome::SessionEnded(None),
        (403, "session_ended", Some(Ok(reason))) => Outcome::SessionEnded(Some(reason)),
        (401, "access_token_revoked", None) => Outcome::AskerNotLive,
        (404, "not_found", None) => Outcome::NotFound,
        _ => Outcome::Strange(status, code.to_owned()),
    }
}
