//! The world around a built program that is to be hurt: what of `world` that takes.

pub mod agent;
pub mod manager;
#[path = "sim/random.rs"]
pub mod random;
pub mod server;
pub mod setup;
pub mod template;
pub mod tools;
pub mod wait;
