//! What the services answer over HTTP, by the rows of the contract. Each test runs once for each storage.

mod access_attacks;
mod current_user;
mod errors;
mod leaks;
mod login;
mod login_bodies;
mod logout;
mod precedence;
mod refresh;
mod refresh_attacks;
mod replay;
mod session_life;
mod session_limit;
