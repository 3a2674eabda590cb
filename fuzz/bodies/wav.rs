//! A WAV file.

use switchhook::model::SAMPLE_RATE;
use switchhook::wire::wav;

/// Longest audio that is taken, in seconds.
const SECONDS_MAX: u32 = 2;

/// The input is the file.
pub fn run(data: &[u8]) {
    let rate = wav::rate(data);
    let Ok(audio) = wav::read(data, SECONDS_MAX) else { return };
    assert!(rate.is_ok_and(|rate| (SAMPLE_RATE..=wav::WAV_RATE_MAX).contains(&rate)));
    // The resampler rounds up.
    assert!(audio.0.len() <= (SECONDS_MAX * SAMPLE_RATE) as usize + 2, "{} samples", audio.0.len());
    let written = wav::write(&audio);
    assert_eq!(written.and_then(|bytes| wav::read(&bytes, SECONDS_MAX + 1)), Ok(audio));
}
