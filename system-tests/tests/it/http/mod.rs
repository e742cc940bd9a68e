//! What the services answer over HTTP, by the rows of the contract. Each test runs once for each storage.

mod access_attacks;
mod backups;
mod commands;
mod cors;
mod current_user;
mod doctor;
mod errors;
mod faults;
mod heads;
mod health;
mod instances;
mod leaks;
mod login;
mod login_bodies;
mod logout;
mod overload;
mod precedence;
mod races;
mod refresh;
mod refresh_attacks;
mod replay;
mod round_trip;
mod session_life;
mod session_limit;
mod start;
mod stop;
