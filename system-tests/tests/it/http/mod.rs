//! What the services answer over HTTP, by the rows of the contract. Each test runs once for each storage.

mod current_user;
mod login;
mod login_bodies;
mod logout;
mod refresh;
