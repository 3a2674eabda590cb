//! The built program with real clients: sipp and baresip dial it, and what counts is what they hear, what is in the
//! store, and what was done outside.
//!
//! Each test has a server, a store and addresses of its own in 127.0.0.0/8, so that all can run at a time. What a
//! test that fails leaves behind is in the folder that it names.
#![allow(clippy::disallowed_methods, reason = "the tests wait for a program that has a real clock")]
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "these are tests")]

mod world {
    pub mod agent;
    pub mod baresip;
    pub mod ear;
    pub mod relay;
    pub mod server;
    pub mod setup;
    pub mod sipp;
    pub mod tools;
    pub mod wait;
}

mod real {
    mod burst;
    mod drain;
    mod keys;
    mod pins;
    mod reboot;
    mod recordings;
    mod signalling;
    mod start;
}
