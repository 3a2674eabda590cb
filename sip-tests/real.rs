//! The built program with real clients: sipp and baresip dial it, and what counts is what they hear, what is in the
//! store, and what was done outside.
//!
//! Each test has a server, a store and addresses of its own in 127.0.0.0/8, so that all can run at a time. What a
//! test that fails leaves behind is in the folder that it names.
#![allow(clippy::disallowed_methods, reason = "the tests wait for a program that has a real clock")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "these are tests"
)]

#[path = "real/alone.rs"]
mod alone;
#[path = "real/answering.rs"]
mod answering;
#[path = "real/attendants.rs"]
mod attendants;
#[path = "real/backups.rs"]
mod backups;
#[path = "real/counts.rs"]
mod counts;
#[path = "real/docs.rs"]
mod docs;
#[path = "real/drain.rs"]
mod drain;
#[path = "real/encrypted.rs"]
mod encrypted;
#[path = "real/first_call.rs"]
mod first_call;
#[path = "real/floods.rs"]
mod floods;
#[path = "real/forged.rs"]
mod forged;
#[path = "real/keys.rs"]
mod keys;
#[path = "real/languages.rs"]
mod languages;
#[path = "real/lockouts.rs"]
mod lockouts;
#[path = "real/maintenance.rs"]
mod maintenance;
#[path = "real/mutations.rs"]
mod mutations;
#[path = "real/network.rs"]
mod network;
#[path = "real/own.rs"]
mod own;
#[path = "real/pins.rs"]
mod pins;
#[path = "real/proxy.rs"]
mod proxy;
#[path = "real/reboot.rs"]
mod reboot;
#[path = "real/recordings.rs"]
mod recordings;
#[path = "real/rivals.rs"]
mod rivals;
#[path = "real/roles.rs"]
mod roles;
#[path = "real/secrets.rs"]
mod secrets;
#[path = "real/service.rs"]
mod service;
#[path = "real/signalling.rs"]
mod signalling;
#[path = "real/start.rs"]
mod start;
#[path = "real/strangers.rs"]
mod strangers;
#[path = "real/torture.rs"]
mod torture;
#[path = "real/users.rs"]
mod users;
#[path = "world/real.rs"]
mod world;
