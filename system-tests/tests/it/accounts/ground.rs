//! Storage that a test may look into and break: a SQLite file, or PostgreSQL with a Redis of the test's own.

use ::redis::cmd;
use futures_util::future::join_all;
use system_tests::client::Client;
use system_tests::people::Person;
use system_tests::postgres;
use system_tests::redis;
use system_tests::site::{Site, Storage};
use system_tests::stack::Stack;
use system_tests::waiting::eventually;

/// A site for programs, and the Redis that it may need, which goes when it is dropped.
pub(super) async fn open_site(storage: Storage, settings: &[(&str, &str)]) -> (Site, Option<redis::Server>) {
    match storage {
        Storage::Embedded => (Site::open(storage, settings).await, None),
        Storage::Distributed => {
            // What was answered is written to a file, so that killing it loses nothing.
            let redis = redis::Server::start_with(&[("appendonly", "yes"), ("appendfsync", "no")]);
            let site = Site::over(&redis.url(), postgres::shared().database(), settings).await;
            (site, Some(redis))
        }
    }
}

/// The field of an ending whose value is none.
const UNREADABLE: &str = "e0123456789abcdef";

fn sessions_of(person: &Person) -> String {
    format!("latchkey:{{{}}}:sessions", person.id)
}

/// An auth-service in this process and what it keeps.
pub(super) struct Ground {
    pub(super) stack: Stack,
    redis: Option<redis::Server>,
}

impl Ground {
    pub(super) async fn start(storage: Storage) -> Self {
        Self::start_with(storage, &[]).await
    }

    /// Starts with some settings changed. Limits on logins are off unless they are among them.
    pub(super) async fn start_with(storage: Storage, settings: &[(&str, &str)]) -> Self {
        let (site, redis) = open_site(storage, settings).await;
        Self { stack: Stack::on(site).await, redis }
    }

    pub(super) fn client(&self) -> Client {
        self.stack.client()
    }

    pub(super) async fn person(&self) -> Person {
        self.stack.person().await
    }

    /// Takes the store of sessions and attempts away: nothing in it can be read or written.
    pub(super) async fn take_store_away(&self) {
        match &self.redis {
            Some(redis) => redis.kill(),
            None => {
                self.change("ALTER TABLE sessions RENAME TO sessions_elsewhere").await;
                self.change("ALTER TABLE attempts RENAME TO attempts_elsewhere").await;
            }
        }
    }

    /// Gives it back, with all that was in it, and waits until the service has noticed.
    pub(super) async fn give_store_back(&self) {
        match &self.redis {
            Some(redis) => redis.start_again(),
            None => {
                self.change("ALTER TABLE sessions_elsewhere RENAME TO sessions").await;
                self.change("ALTER TABLE attempts_elsewhere RENAME TO attempts").await;
            }
        }
        // Each of these has a connection of its own, so that every worker of the service is asked.
        let clients: Vec<_> = (0..8).map(|_| self.client()).collect();
        let all_are_ready = async || {
            let answers = join_all(clients.iter().map(Client::readiness)).await;
            answers.iter().all(|answer| answer.status == 200).then_some(())
        };
        eventually("the service is ready", all_are_ready).await;
    }

    /// Lets somebody's sessions be read, and no change be made to them.
    pub(super) async fn close_sessions_of(&self, person: &Person) {
        match &self.redis {
            // A remembered ending that is of no known shape; who reads the live sessions does not look at it.
            Some(redis) => redis.ask(cmd("HSET").arg(sessions_of(person)).arg(UNREADABLE).arg("?")),
            // Each change of somebody's sessions begins as an insertion of the whole row.
            None => {
                self.change(
                    "CREATE TRIGGER closed BEFORE INSERT ON sessions BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
                )
                .await;
            }
        }
    }

    pub(super) async fn open_sessions_of(&self, person: &Person) {
        match &self.redis {
            Some(redis) => redis.ask(cmd("HDEL").arg(sessions_of(person)).arg(UNREADABLE)),
            None => self.change("DROP TRIGGER closed").await,
        }
    }

    /// How many counters of attempts are kept.
    pub(super) async fn counters(&self) -> usize {
        match &self.redis {
            Some(redis) => redis.ask::<Vec<String>>(cmd("KEYS").arg("latchkey:attempts:*")).len(),
            None => {
                let database = &self.stack.site.stores.database;
                let rows = database.read("SELECT count(*) FROM attempts", vec![]).await.expect("the database works");
                usize::try_from(rows[0].get::<i64>(0).expect("a number")).expect("a small number")
            }
        }
    }

    /// Makes each counter there is unreadable.
    pub(super) async fn spoil_counters(&self) {
        match &self.redis {
            Some(redis) => {
                for key in redis.ask::<Vec<String>>(cmd("KEYS").arg("latchkey:attempts:*")) {
                    redis.ask::<()>(cmd("SET").arg(key).arg("?"));
                }
            }
            None => self.change("UPDATE attempts SET record = '?'").await,
        }
    }

    /// How many milliseconds each counter in Redis lives.
    pub(super) fn lives_of_counters(&self) -> Vec<i64> {
        let redis = self.redis.as_ref().expect("attempts are in Redis");
        let keys: Vec<String> = redis.ask(cmd("KEYS").arg("latchkey:attempts:*"));
        keys.iter().map(|key| redis.ask(cmd("PTTL").arg(key))).collect()
    }

    async fn change(&self, sql: &'static str) {
        self.stack.site.stores.database.write(sql, vec![]).await.expect("the database works");
    }
}
