//! The stack of docker-compose.yml, as `tools/test-compose` brings it up: through its gateway, at the ports on the loopback, and while
//! its containers stop and start.

mod flows;
mod gateway;
mod images;
mod restarts;
mod stack;
