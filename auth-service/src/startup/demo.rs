//! The demo users: three, with public passwords, in an empty database alone.

use secrecy::SecretString;
use uuid::Uuid;

use crate::domain::Failure;
use crate::domain::user::{Email, Username};
use crate::state::State;
use crate::stores::NewUser;

const NAMES: [&str; 3] = ["ada", "grace", "linus"];
/// jobs-service gives its demo jobs to the same ids.
const FIRST_ID: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0001);

pub(super) async fn seed(state: &State) -> Result<(), Failure> {
    if !state.users.is_empty().await? {
        return Ok(());
    }
    let [ada, grace, linus] = [0, 1, 2].map(|position| user(state, position));
    let users = [ada.await?, grace.await?, linus.await?];
    Ok(state.users.insert_demo(&users).await?)
}

async fn user(state: &State, position: usize) -> Result<NewUser, Failure> {
    let name = NAMES[position];
    let password = SecretString::from(format!("latchkey-demo-{name}"));
    Ok(NewUser {
        id: Uuid::from_u128(FIRST_ID.as_u128() + position as u128),
        username: Username::parse(name).expect("a demo name is a username"),
        email: Email::parse(&format!("{name}@example.test")).expect("a demo address is an address"),
        password_hash: state.passwords.hash(password).await?,
        created_at: state.now(),
    })
}
