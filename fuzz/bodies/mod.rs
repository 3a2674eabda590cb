//! What each fuzz target does with its bytes: one function `run` a file, which panics where something does not hold.
//!
//! cargo-fuzz's targets call them, and so does `sip-tests/fuzz.rs`, which needs no nightly compiler.

pub mod authorization;
pub mod bytes;
pub mod call;
pub mod config;
pub mod endpoint;
pub mod info;
pub mod replies;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sip;
pub mod srtp;
pub mod stream;
pub mod wav;
