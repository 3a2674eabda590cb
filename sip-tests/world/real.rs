//! The world around the built program: its clients, and what they see and hear.

pub mod agent;
pub mod baresip;
pub mod ear;
pub mod kamailio;
pub mod keypad;
pub mod manager;
pub mod raw;
pub mod relay;
pub mod search;
pub mod server;
pub mod setup;
pub mod sipp;
pub mod story;
pub mod template;
pub mod tools;
pub mod wait;
