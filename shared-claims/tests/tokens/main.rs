//! The tokens as a whole, through the crate's public face: what is minted, what is believed, and what is refused.

#![allow(clippy::unwrap_used, reason = "the helpers belong to tests, where a panic is the report")]

mod claim_attacks;
mod counts;
#[cfg(feature = "actix")]
mod extractor;
mod header_attacks;
mod keys;
mod library_laxities;
mod minting;
mod properties;
mod refresh_attacks;
mod shape_attacks;
mod standards;
mod support;
mod time_bounds;
