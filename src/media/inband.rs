//! Keys by tones in the audio (ITU-T Q.23, Q.24), for peers that offer no telephone-event.
//!
//! Goertzel filters look at blocks of 102 samples, one each 51 samples. A key is told when [`HITS`] blocks in a row
//! show the same clean pair of tones at a steady level: that finds a tone of 40 ms wherever it begins, and is the
//! talk-off guard, since speech that happens to hold two of the frequencies holds others too and does not stand still.

/// Samples a block: 12.75 ms, so that the filters are about 80 Hz wide.
const BLOCK: usize = 102;
/// Samples from one block to the next.
const STEP: usize = 51;
/// Blocks in a row that must agree.
const HITS: u8 = 4;
/// Blocks in a row without the tone after which the key is up: a dropout of one block does not split a press.
const MISSES: u8 = 3;
const LOW: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const KEYS: [u8; 16] = *b"123A456B789C*0#D";

/// Mean square per sample under which nothing is a tone: -36 dBm0 and a margin.
const FLOOR: f32 = 2.0e3;
/// The high tone may be this much stronger than the low one (11 dB), and the low one than the high: Q.24 asks for 4 and
/// 8 dB, and what each leaves in the other's filter makes 3 dB in a single block.
const TWIST: f32 = 12.6;
/// How much stronger a tone is than the others of its group (5 dB): a weak high tone that is off stands out by no more
/// from what the low one leaves in the filters of its group.
const PEAK: f32 = 3.2;
/// The share of the block's energy that the two tones hold.
const PURITY: f32 = 0.84;
/// Tones may be 1.5 % off (Q.24), which is a third of a filter's width for the highest: they are measured here too.
const OFF: [f32; 2] = [0.9875, 1.0125];
/// A block's level may differ from its predecessor's by this factor (3 dB).
const STEADY: f32 = 2.0;

/// The receiver of one stream's tones.
#[derive(Clone)]
pub struct InBand {
    block: [f32; BLOCK],
    filled: usize,
    candidate: Option<u8>,
    level: f32,
    hits: u8,
    misses: u8,
    down: Option<u8>,
}

impl Default for InBand {
    fn default() -> Self {
        Self { block: [0.0; BLOCK], filled: 0, candidate: None, level: 0.0, hits: 0, misses: 0, down: None }
    }
}

/// What a tone told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A key went down, as its character (`0`–`9`, `*`, `#`, `A`–`D`).
    Down(char),
    /// It is up.
    Up,
}

impl InBand {
    /// Takes linear samples, as many as there are, and tells what they held.
    pub fn handle(&mut self, samples: impl Iterator<Item = i16>, mut tell: impl FnMut(Tone)) {
        for sample in samples {
            self.block[self.filled] = f32::from(sample);
            self.filled += 1;
            if self.filled == BLOCK {
                self.handle_block(&mut tell);
                self.block.copy_within(STEP.., 0);
                self.filled = BLOCK - STEP;
            }
        }
    }

    fn handle_block(&mut self, tell: &mut impl FnMut(Tone)) {
        let found = pair(&self.block);
        let key = found.map(|(key, _)| key);
        let steady = found.is_some_and(|(_, level)| level < self.level * STEADY && self.level < level * STEADY);
        self.hits = if key.is_none() {
            0
        } else if key == self.candidate && steady {
            self.hits.saturating_add(1)
        } else {
            1
        };
        self.candidate = key;
        self.level = found.map_or(0.0, |(_, level)| level);
        self.misses = if key.is_some() && key == self.down { 0 } else { self.misses.saturating_add(1) };
        if self.down.is_some() && self.misses >= MISSES {
            self.down = None;
            tell(Tone::Up);
        }
        if self.hits >= HITS && self.down != key {
            if self.down.is_some() {
                tell(Tone::Up);
            }
            self.down = key;
            self.misses = 0;
            if let Some(key) = key {
                tell(Tone::Down(char::from(key)));
            }
        }
    }
}

/// The key whose pair of tones the block holds, cleanly, and its energy.
fn pair(block: &[f32; BLOCK]) -> Option<(u8, f32)> {
    let total: f32 = block.iter().map(|s| s * s).sum();
    if total < FLOOR * BLOCK as f32 {
        return None;
    }
    let (low_at, high_at) = (strongest(block, &LOW)?, strongest(block, &HIGH)?);
    let (low, high) = (power_near(block, LOW[low_at]), power_near(block, HIGH[high_at]));
    let twisted = high > low * TWIST || low > high * TWIST;
    // A sine of energy E over a block of N samples has the power E × N / 2 in its own filter.
    let pure = low + high > PURITY * total * BLOCK as f32 / 2.0;
    (!twisted && pure).then(|| (KEYS[low_at * 4 + high_at], total))
}

/// The strongest of four frequencies, where it stands out from the other three.
fn strongest(block: &[f32; BLOCK], group: &[f32; 4]) -> Option<usize> {
    let powers = group.map(|frequency| goertzel(block, frequency));
    let (at, &power) = powers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let stands_out = powers.iter().enumerate().all(|(other, &p)| other == at || p * PEAK < power);
    stands_out.then_some(at)
}

/// The power of a tone that is at the frequency, or off by what is allowed.
fn power_near(block: &[f32; BLOCK], frequency: f32) -> f32 {
    OFF.iter().map(|off| goertzel(block, frequency * off)).fold(goertzel(block, frequency), f32::max)
}

fn goertzel(block: &[f32; BLOCK], frequency: f32) -> f32 {
    let coefficient = 2.0 * (std::f32::consts::TAU * frequency / crate::model::SAMPLE_RATE as f32).cos();
    let (mut last, mut before) = (0.0f32, 0.0f32);
    for sample in block {
        let next = sample + coefficient * last - before;
        before = last;
        last = next;
    }
    last * last + before * before - coefficient * last * before
}

/// Whether a stretch of audio holds a key's tones: what is cut off at the end of a take.
pub fn holds_tone(samples: &[i16]) -> bool {
    let mut block = [0.0; BLOCK];
    for (to, from) in block.iter_mut().zip(samples) {
        *to = f32::from(*from);
    }
    samples.len() >= BLOCK && pair(&block).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::g711::Law;

    /// A key's two tones at an amplitude, `ms` long, from a phase.
    fn tone(key: u8, ms: usize, amplitude: f32, twist: f32, off: f32) -> Vec<i16> {
        let at = KEYS.iter().position(|k| *k == key).expect("a key");
        let (low, high) = (LOW[at / 4] * off, HIGH[at % 4] * off);
        let wave = |f: f32, n: usize| (std::f32::consts::TAU * f * n as f32 / 8000.0).sin();
        (0..ms * 8).map(|n| (amplitude * (wave(low, n) + twist * wave(high, n))) as i16).collect()
    }

    fn keys(samples: &[i16]) -> String {
        let mut found = String::new();
        let through = samples.iter().map(|s| Law::Mu.decode(Law::Mu.encode(*s)));
        InBand::default().handle(through, |tone| {
            if let Tone::Down(key) = tone {
                found.push(key);
            }
        });
        found
    }

    #[test]
    fn digits_of_40_ms_are_found_wherever_they_begin() {
        for offset in 0..STEP {
            for key in KEYS {
                let mut samples = vec![0; 400 + offset];
                samples.extend(tone(key, 40, 4000.0, 1.0, 1.0));
                samples.extend(vec![0; 400]);
                assert_eq!(keys(&samples), char::from(key).to_string(), "offset {offset}");
            }
        }
    }

    #[test]
    fn levels_twist_and_frequency_as_q24_allows() {
        for (amplitude, twist, off) in [
            (300.0, 1.0, 1.0),
            (12_000.0, 1.0, 1.0),
            (3000.0, 1.5, 1.0),
            (3000.0, 0.45, 1.0),
            (3000.0, 1.0, 1.014),
            (3000.0, 1.0, 0.986),
        ] {
            let mut samples = vec![0; 300];
            samples.extend(tone(b'5', 50, amplitude, twist, off));
            samples.extend(vec![0; 400]);
            assert_eq!(keys(&samples), "5", "amplitude {amplitude} twist {twist} frequency × {off}");
        }
        assert_eq!(keys(&tone(b'5', 100, 3000.0, 1.0, 1.04)), "", "4 % off is no key");
        assert_eq!(keys(&tone(b'5', 20, 3000.0, 1.0, 1.0)), "", "20 ms is no key");
    }

    #[test]
    fn a_dropout_does_not_split_a_press_and_a_pause_does() {
        let mut samples = tone(b'7', 60, 4000.0, 1.0, 1.0);
        samples.extend(vec![0; 40]);
        samples.extend(tone(b'7', 60, 4000.0, 1.0, 1.0));
        samples.extend(vec![0; 320]);
        samples.extend(tone(b'7', 60, 4000.0, 1.0, 1.0));
        assert_eq!(keys(&samples), "77");
    }

    #[test]
    fn one_tone_and_noise_are_no_keys() {
        let sine: Vec<i16> =
            (0..8000).map(|n| (4000.0 * (std::f32::consts::TAU * 770.0 * n as f32 / 8000.0).sin()) as i16).collect();
        assert_eq!(keys(&sine), "");
        let mut state = 1u32;
        let noise: Vec<i16> = (0..800_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16 / 4
            })
            .collect();
        assert_eq!(keys(&noise), "");
    }
}
