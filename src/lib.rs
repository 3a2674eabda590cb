//! switchhook: the telephone administration line of a phone system.
//!
//! The core (`model`, `access`, `wire`, `sip`, `media`, `menu`, `call`) is pure: time, bytes, keys and replies go in,
//! datagrams, requests and wake-ups come out. The shell (`store`, `effects`, `server`, `cli`, `config`) is behind the
//! feature `server`, its `config` alone behind the feature of that name. ARCHITECTURE.md says which room may open which door.

pub mod access;
pub mod call;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "server")]
pub mod effects;
pub mod media;
pub mod menu;
pub mod model;
#[cfg(feature = "server")]
pub mod server;
pub mod sip;
#[cfg(feature = "server")]
pub mod store;
pub mod wire;
