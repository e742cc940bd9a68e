//! The scripts that Redis runs, one for each step, and how a call of one is sent.

use std::fmt::Display;
use std::sync::LazyLock;

use redis::aio::ConnectionLike;
use redis::{Cmd, FromRedisValue, RedisResult, Value};

use super::failure;

/// A script as Redis knows it: by its text once, then by its hash.
pub(super) struct Script {
    text: String,
    hash: String,
}

impl Script {
    fn new(parts: &[&str]) -> Self {
        let text = parts.concat();
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }
}

const RECORD: &str = include_str!("record.lua");

pub(super) static START: LazyLock<Script> = LazyLock::new(|| Script::new(&[RECORD, include_str!("start.lua")]));
pub(super) static ROTATE: LazyLock<Script> = LazyLock::new(|| Script::new(&[RECORD, include_str!("rotate.lua")]));
pub(super) static END: LazyLock<Script> = LazyLock::new(|| Script::new(&[RECORD, include_str!("end.lua")]));
pub(super) static LIST: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("list.lua")]));
pub(super) static ATTEMPTS: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("attempts.lua")]));
pub(super) static MARK: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("mark.lua")]));
pub(super) static CHECK: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("check.lua")]));

/// One call of a script, on one key.
pub(super) struct Call {
    script: &'static Script,
    /// `KEYS[1]`
    pub(super) key: String,
    arguments: Vec<Vec<u8>>,
    /// Nothing is changed by it, so it may be asked again whatever became of the first time.
    pub(super) is_read: bool,
}

impl Call {
    /// A call that may change something.
    pub(super) fn write(script: &'static Script, key: String) -> Self {
        Self { script, key, arguments: Vec::new(), is_read: false }
    }

    /// A call that changes nothing.
    pub(super) fn read(script: &'static Script, key: String) -> Self {
        Self { script, key, arguments: Vec::new(), is_read: true }
    }

    /// Adds the next of `ARGV`.
    pub(super) fn arg(mut self, argument: impl Into<Vec<u8>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds a number, in decimal.
    pub(super) fn number(self, number: impl Display + Copy) -> Self {
        self.arg(number.to_string())
    }

    /// Sends it once; a second time only where the server has answered that it does not know the script, so that nothing has run.
    pub(super) async fn send(&self, connection: &mut impl ConnectionLike) -> RedisResult<Value> {
        match self.by_hash().query_async(connection).await {
            Err(error) if failure::is_unknown_script(&error) => self.in_full().query_async(connection).await,
            answer => answer,
        }
    }

    /// Sends it to a server of a cluster that is about to take this key over.
    pub(super) async fn send_asking(&self, connection: &mut impl ConnectionLike) -> RedisResult<Value> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("ASKING").ignore().add_command(self.in_full());
        let (value,) = pipeline.query_async(connection).await?;
        Ok(value)
    }

    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    fn in_full(&self) -> Cmd {
        self.command("EVAL", &self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(1).arg(&self.key).arg(&self.arguments);
        command
    }
}

/// The answer of a call as what its script is known to answer with.
pub(super) fn decoded<T: FromRedisValue>(answer: Value) -> RedisResult<T> {
    Ok(redis::from_redis_value(answer)?)
}
