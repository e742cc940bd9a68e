//! Users, in SQLite or PostgreSQL: one text of queries, each statement an atomic step.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use service_kit::database::{Database, DatabaseError, Row, Value};
use uuid::Uuid;

use crate::domain::user::{Email, User, Username, login_key};

/// The users of this installation.
#[derive(Clone)]
pub struct Users {
    database: Arc<dyn Database>,
}

/// A user to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Their id.
    pub id: Uuid,
    /// Not taken by another.
    pub username: Username,
    /// Not taken by another.
    pub email: Email,
    /// A PHC string.
    pub password_hash: SecretString,
    /// Now.
    pub created_at: DateTime<Utc>,
}

impl NewUser {
    /// The user as the database has them once they are inserted.
    pub fn into_user(self) -> User {
        User {
            id: self.id,
            username: self.username.as_str().to_owned(),
            email: self.email.as_str().to_owned(),
            password_hash: self.password_hash,
            credential_version: 1,
            is_disabled: false,
            created_at: self.created_at,
        }
    }
}

/// What became of a new user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// They exist.
    Yes,
    /// Another user has the username, or the address, or both.
    Taken {
        /// The username is taken.
        username: bool,
        /// The e-mail address is taken.
        email: bool,
    },
}

impl Users {
    /// The users in this database.
    pub fn new(database: Arc<dyn Database>) -> Self {
        Self { database }
    }

    /// The user with this id.
    pub async fn find(&self, id: Uuid) -> Result<Option<User>, DatabaseError> {
        let sql = "SELECT id, username, email, password_hash, credential_version, is_disabled, created_at
                   FROM users WHERE id = $1";
        self.database.read(sql, vec![id.into()]).await?.first().map(user).transpose()
    }

    /// The user with this username or e-mail address, whatever its case.
    pub async fn find_by_login(&self, typed: &str) -> Result<Option<User>, DatabaseError> {
        let sql = "SELECT id, username, email, password_hash, credential_version, is_disabled, created_at
                   FROM users WHERE username = $1 OR email_key = $1";
        // No database holds a zero byte in a text, and PostgreSQL would answer it with an error.
        if typed.contains('\0') {
            return Ok(None);
        }
        self.database.read(sql, vec![login_key(typed).into()]).await?.first().map(user).transpose()
    }

    /// Every user, by name.
    pub async fn list(&self) -> Result<Vec<User>, DatabaseError> {
        let sql = "SELECT id, username, email, password_hash, credential_version, is_disabled, created_at
                   FROM users ORDER BY username";
        self.database.read(sql, vec![]).await?.iter().map(user).collect()
    }

    /// Adds a user whose names are free.
    pub async fn insert(&self, new: &NewUser) -> Result<Inserted, DatabaseError> {
        let sql = "INSERT INTO users (id, username, email, email_key, password_hash, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id";
        if !self.database.write(sql, columns(new)).await?.is_empty() {
            return Ok(Inserted::Yes);
        }
        let sql = "SELECT username, email_key FROM users WHERE username = $1 OR email_key = $2";
        let (username, email_key) = (new.username.as_str(), new.email.key());
        let others = self.database.read(sql, vec![username.into(), email_key.clone().into()]).await?;
        let mut taken = (false, false);
        for other in &others {
            taken.0 |= other.get::<String>(0)? == username;
            taken.1 |= other.get::<String>(1)? == email_key;
        }
        Ok(Inserted::Taken { username: taken.0, email: taken.1 })
    }

    /// Whether there is no user at all.
    pub async fn is_empty(&self) -> Result<bool, DatabaseError> {
        Ok(self.database.read("SELECT id FROM users LIMIT 1", vec![]).await?.is_empty())
    }

    /// Adds the demo users, in one statement. Of instances that start together one adds them all.
    pub async fn insert_demo(&self, users: &[NewUser; 3]) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO users (id, username, email, email_key, password_hash, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6), ($7, $8, $9, $10, $11, $12), ($13, $14, $15, $16, $17, $18)
                   ON CONFLICT DO NOTHING";
        self.database.write(sql, users.iter().flat_map(columns).collect()).await?;
        Ok(())
    }

    /// Gives a user another password: a new credential version, unless the password has changed meanwhile.
    /// Answers the new version, or `None` where there is no such user with that version.
    pub async fn set_password(&self, user: &User, hash: &SecretString) -> Result<Option<i64>, DatabaseError> {
        let sql = "UPDATE users SET password_hash = $1, credential_version = credential_version + 1
                   WHERE id = $2 AND credential_version = $3 RETURNING credential_version";
        let parameters = vec![hash.expose_secret().into(), user.id.into(), user.credential_version.into()];
        self.database.write(sql, parameters).await?.first().map(|row| row.get(0)).transpose()
    }

    /// Takes a change of password back, as if it had not been.
    pub async fn restore_password(&self, before: &User, version: i64) -> Result<(), DatabaseError> {
        let sql = "UPDATE users SET password_hash = $1, credential_version = $2
                   WHERE id = $3 AND credential_version = $4";
        let hash = before.password_hash.expose_secret();
        let parameters = vec![hash.into(), before.credential_version.into(), before.id.into(), version.into()];
        self.database.write(sql, parameters).await?;
        Ok(())
    }

    /// Replaces the hash of a password that stays the same, unless it has changed meanwhile.
    pub async fn renew_hash(&self, user: &User, hash: &SecretString) -> Result<(), DatabaseError> {
        let sql = "UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3";
        let before = user.password_hash.expose_secret();
        self.database.write(sql, vec![hash.expose_secret().into(), user.id.into(), before.into()]).await?;
        Ok(())
    }

    /// Disables or enables a user, with a new credential version, so that no session outlives either. Nothing changes where
    /// they are so already. Answers whether there is such a user.
    pub async fn set_disabled(&self, id: Uuid, is_disabled: bool) -> Result<bool, DatabaseError> {
        let sql = "UPDATE users SET is_disabled = $1,
                       credential_version = CASE WHEN is_disabled = $1 THEN credential_version ELSE credential_version + 1 END
                   WHERE id = $2 RETURNING id";
        Ok(!self.database.write(sql, vec![is_disabled.into(), id.into()]).await?.is_empty())
    }

    /// Removes a user. Answers whether there was one.
    pub async fn delete(&self, id: Uuid) -> Result<bool, DatabaseError> {
        let sql = "DELETE FROM users WHERE id = $1 RETURNING id";
        Ok(!self.database.write(sql, vec![id.into()]).await?.is_empty())
    }
}

fn columns(new: &NewUser) -> Vec<Value> {
    vec![
        new.id.into(),
        new.username.as_str().into(),
        new.email.as_str().into(),
        new.email.key().into(),
        new.password_hash.expose_secret().into(),
        new.created_at.into(),
    ]
}

fn user(row: &Row) -> Result<User, DatabaseError> {
    Ok(User {
        id: row.get(0)?,
        username: row.get(1)?,
        email: row.get(2)?,
        password_hash: row.get::<String>(3)?.into(),
        credential_version: row.get(4)?,
        is_disabled: row.get(5)?,
        created_at: row.get(6)?,
    })
}
