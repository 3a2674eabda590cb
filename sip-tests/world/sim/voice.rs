//! What a caller sends: a voice, and the tones of keys.

use std::f64::consts::TAU;
use std::sync::OnceLock;

use switchhook::wire::g711::{FRAME, Law};

use super::random::Random;

/// Frames of the voice before it begins again.
const VOICE_FRAMES: usize = 64;
/// Frames of a tone; none is held longer.
pub const TONE_FRAMES_MAX: usize = 12;
const KEYS: &[u8; 16] = b"123A456B789C*0#D";
const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

/// The voice's 20 ms of that number: noise, which is no key.
pub fn voice(law: Law, number: usize) -> &'static [u8] {
    static VOICE: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let both = VOICE.get_or_init(|| {
        [Law::Mu, Law::A].map(|law| {
            let mut random = Random::new(4);
            (0..VOICE_FRAMES * FRAME).map(|_| law.encode(random.below(8000) as i16 - 4000)).collect()
        })
    });
    let at = number % VOICE_FRAMES * FRAME;
    &both[index(law)][at..at + FRAME]
}

/// A key's tones, the 20 ms of that number.
pub fn tone(law: Law, key: char, number: usize) -> &'static [u8] {
    static TONES: OnceLock<Vec<[Vec<u8>; 2]>> = OnceLock::new();
    let all = TONES.get_or_init(|| (0..KEYS.len()).map(|key| [Law::Mu, Law::A].map(|law| tones(law, key))).collect());
    let key = KEYS.iter().position(|k| char::from(*k) == key).expect("a key");
    let at = number % TONE_FRAMES_MAX * FRAME;
    &all[key][index(law)][at..at + FRAME]
}

fn tones(law: Law, key: usize) -> Vec<u8> {
    let wave = |f: f64, n: usize| (n as f64 * f * TAU / 8000.0).sin();
    (0..TONE_FRAMES_MAX * FRAME)
        .map(|n| law.encode((4000.0 * (wave(LOW[key / 4], n) + wave(HIGH[key % 4], n))) as i16))
        .collect()
}

fn index(law: Law) -> usize {
    match law {
        Law::Mu => 0,
        Law::A => 1,
    }
}
