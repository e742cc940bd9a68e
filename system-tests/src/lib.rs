//! What the system tests stand on: the real services started on free ports, real programs run as an operator runs them, a client
//! that holds every answer to the rules that all answers have, and the means to forge tokens. What is promised is in `tests/it`.

pub mod account;
pub mod client;
pub mod collector;
pub mod device;
pub mod people;
pub mod postgres;
pub mod program;
pub mod prometheus;
pub mod proof;
pub mod proxy;
pub mod redis;
pub mod site;
pub mod stack;
pub mod terminal;
pub mod tokens;
pub mod waiting;
