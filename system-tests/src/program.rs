//! The real programs, run as an operator runs them: a service until it is stopped or killed, a command until it ends.
