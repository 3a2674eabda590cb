//! switchhook: the telephone administration line of a phone system.
//!
//! The core (`model`, `access`, `wire`, `sip`, `media`, `menu`, `call`) is pure: time, bytes, keys and replies go in,
//! datagrams, requests and wake-ups come out. The shell (`store`, `effects`, `server`, `cli`, `config`) is behind the
//! feature `server`. ARCHITECTURE.md says which room may open which door.

pub mod access;
#[cfg(feature = "server")]
pub mod config;
pub mod media;
pub mod model;
pub mod sip;
pub mod wire;
