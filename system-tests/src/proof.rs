//! Claims shown by programs that try to break them: seeded clients that do anything at any time, a checker that holds what they were
//! answered against the state machine of sessions, crowds of good clients under every fault that there is a way to make, and the tally
//! of what was seen. The short runs are tests, the long one is `make torture`.

pub mod checker;
pub mod crash;
pub mod crowd;
pub mod failover;
pub mod history;
pub mod linearizable;
pub mod logins;
mod machine;
pub mod network;
pub mod seed;
pub mod share;
pub mod tally;
pub mod workload;
