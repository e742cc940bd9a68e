//! auth-service from outside: its store on SQLite, its routes, its commands.

mod session_store;
