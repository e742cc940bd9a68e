//! Users of the tests' own. Their password is hashed with Argon2id at its cheapest, so that adding one costs nothing. The services
//! verify a hash at the cost that it names, and renew it at the first login.

use argon2::{Algorithm, Argon2, Params, Version};
use auth_service::domain::user::{Email, Username};
use auth_service::stores::{Inserted, NewUser, Users};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};
use shared_claims::random;
use uuid::Uuid;

/// The password of every user of the tests.
pub const PASSWORD: &str = "correct horse battery staple";

/// A user, and what they log in with.
#[derive(Debug, Clone)]
pub struct Person {
    /// The `sub` of their tokens.
    pub id: Uuid,
    /// Lower case, and nobody else's.
    pub username: String,
    /// In mixed case, and nobody else's.
    pub email: String,
    /// Verbatim.
    pub password: String,
}

impl Person {
    /// Somebody whom no service knows.
    pub fn invent() -> Self {
        let id = random::uuid();
        let username = format!("u{}", &random::uuid().simple().to_string()[..20]);
        let email = format!("{}@Example.Test", username.to_uppercase());
        Self { id, username, email, password: PASSWORD.to_owned() }
    }

    /// Adds somebody who may log in from now on.
    pub async fn add(users: &Users, created_at: DateTime<Utc>) -> Self {
        let person = Self::invent();
        let new = NewUser {
            id: person.id,
            username: Username::parse(&person.username).expect("a username"),
            email: Email::parse(&person.email).expect("an address"),
            password_hash: cheap_hash(&person.password),
            created_at,
        };
        assert_eq!(users.insert(&new).await.expect("the database works"), Inserted::Yes);
        person
    }

    /// The smallest body of a login.
    pub fn credentials(&self) -> Value {
        json!({ "username": self.username, "password": self.password })
    }

    /// The body of a login from a device of this name.
    pub fn credentials_on(&self, device_name: &str) -> Value {
        json!({ "username": self.username, "password": self.password, "deviceName": device_name })
    }
}

/// A PHC string of Argon2id with 8 KiB and one pass.
pub fn cheap_hash(password: &str) -> SecretString {
    let salt = random::bytes::<16>();
    let mut output = [0; 32];
    let params = Params::new(8, 1, 1, Some(output.len())).expect("parameters within Argon2's ranges");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), &salt, &mut output)
        .expect("Argon2 hashes any password");
    let [salt, output] = [&salt[..], &output].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    format!("$argon2id$v=19$m=8,t=1,p=1${salt}${output}").into()
}
