//! Claims shown by programs that try to break them: seeded clients that do anything at any time, a checker that holds what they were
//! answered against the state machine of sessions, and the tally of what was seen. The short runs are tests, the long one is
//! `make torture`.

pub mod checker;
pub mod history;
mod machine;
pub mod seed;
pub mod workload;
