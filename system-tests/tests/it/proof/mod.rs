//! What makes somebody choose Latchkey, each claim shown by a program that tries to break it. The same programs run for longer as
//! `make torture`.

mod abuse;
mod crash;
mod failover;
mod linearizable;
mod network;
mod skew;
