//! The media side of a call: frames in and out on an unbroken 20 ms clock, keys found, prompts played, takes recorded.

pub mod detector;
