//! The media side of a call: frames in and out on an unbroken 20 ms clock, keys found, prompts played, takes recorded.

pub mod consent;
pub mod detector;
pub mod inband;
pub mod level;
pub mod player;
pub mod prompts;
pub mod recorder;
mod reports;
mod security;
pub mod session;
mod source;
mod statistics;

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod keys_tests;
#[cfg(test)]
pub(crate) mod random_tests;
