//! Brings prompts and takes to one loudness, and judges takes (ITU-R BS.1770 loudness by `ebur128`).
//!
//! This is work of milliseconds to tens of milliseconds: it is done at load and after a recording, never per packet.

use crate::media::inband::holds_tone;
use crate::media::recorder::RawTake;
use crate::model::{Audio, SAMPLE_RATE, Take, Verdict};

/// The common loudness, in LUFS.
pub const LOUDNESS: f64 = -23.0;
/// The highest peak after levelling: -3 dBFS.
const PEAK: f64 = 32768.0 * 0.708;
/// The most that a quiet take is lifted, in dB; what would need more is noise.
const GAIN_DB_MAX: f64 = 20.0;
/// Speech shorter than this is a slip of the finger.
const SPEECH_MS_MIN: usize = 500;
/// Samples at full scale that make a take sound broken.
const CLIPPED_SAMPLES: usize = 16;
/// Full scale of G.711: the outermost two steps of µ-law and A-law.
const FULL_SCALE: u16 = 31_000;
/// A frame of 10 ms under this mean square (about -46 dBFS) is silence.
const SILENCE: i64 = 160 * 160;
/// What is kept before and after the speech, in samples: 50 and 150 ms.
const LEAD: usize = 400;
const TAIL: usize = 1200;
/// What a key costs at the end of a take: its click, and the time until its first packet (80 ms).
const KEY: usize = 640;
const BLOCK: usize = 80;
/// Samples up to this are padding, not sound.
const PADDING: u16 = 2;
/// Audio shorter than this is looped to it for measuring, in seconds: the meter looks at blocks of 400 ms.
const LOOPED_S: usize = 3;

/// The loudness of audio of any length (looped, so that a single word can be measured; without the padding at its ends);
/// `None` for silence.
pub fn loudness(samples: &[i16]) -> Option<f64> {
    let is_sound = |sample: &i16| sample.unsigned_abs() > PADDING;
    let (from, to) = (samples.iter().position(is_sound)?, samples.iter().rposition(is_sound)?);
    let samples = samples.get(from..=to)?;
    let mut meter = ebur128::EbuR128::new(1, SAMPLE_RATE, ebur128::Mode::I).ok()?;
    let rounds = (LOOPED_S * SAMPLE_RATE as usize).div_ceil(samples.len()).max(1);
    for _ in 0..rounds {
        meter.add_frames_i16(samples).ok()?;
    }
    meter.loudness_global().ok().filter(|l| l.is_finite())
}

/// Whether audio is at the common loudness within 3 dB or so, by the power of what is no silence in it: a hundred times
/// as fast as [`loudness`], for prompts that were levelled when they were made (those of this project are at -25 to -20).
pub fn is_about_level(samples: &[i16]) -> bool {
    let power = |block: &[i16]| block.iter().map(|s| i64::from(*s) * i64::from(*s)).sum::<i64>();
    let (mut energy, mut count) = (0i64, 0i64);
    for block in samples.chunks(BLOCK) {
        let (power, length) = (power(block), block.len() as i64);
        if power > SILENCE * length {
            energy += power;
            count += length;
        }
    }
    let decibel = 10.0 * (energy as f64 / count.max(1) as f64 / (32768.0 * 32768.0)).log10();
    (-25.5..-19.5).contains(&decibel)
}

/// Brings audio to [`LOUDNESS`], as far as its peaks and [`GAIN_DB_MAX`] allow; silence stays as it is.
pub fn level(samples: &mut [i16]) {
    let Some(present) = loudness(samples) else { return };
    let gain = 10f64.powf((LOUDNESS - present).min(GAIN_DB_MAX) / 20.0);
    let peak = samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
    let gain = if f64::from(peak) * gain > PEAK { PEAK / f64::from(peak) } else { gain };
    // Within 0.1 dB it is level already; so a prompt that was made well stays bit for bit.
    if (gain - 1.0).abs() < 0.012 {
        return;
    }
    for sample in samples {
        *sample = (f64::from(*sample) * gain).round() as i16;
    }
}

/// Decodes a raw take, trims it (the key's tone and the silence at both ends), judges it and levels it.
pub fn finish(raw: &RawTake) -> Take {
    finish_samples(&raw.samples(), raw.by_key)
}

fn finish_samples(samples: &[i16], by_key: bool) -> Take {
    let samples = without_key(samples, by_key);
    let Some((from, to)) = speech(samples) else {
        return Take { audio: Audio(Vec::new().into()), verdict: Some(Verdict::Silent) };
    };
    let clipped = samples[from..to].iter().filter(|s| s.unsigned_abs() >= FULL_SCALE).count() >= CLIPPED_SAMPLES;
    let quiet = loudness(samples).is_none_or(|l| l < LOUDNESS - GAIN_DB_MAX);
    let mut kept = samples[from.saturating_sub(LEAD)..(to + TAIL).min(samples.len())].to_vec();
    fade(&mut kept);
    level(&mut kept);
    let verdict = if (to - from) * 1000 < SPEECH_MS_MIN * SAMPLE_RATE as usize {
        Some(Verdict::TooShort)
    } else if clipped {
        Some(Verdict::Clipped)
    } else if quiet {
        Some(Verdict::TooQuiet)
    } else {
        None
    };
    Take { audio: Audio(kept.into()), verdict }
}

fn without_key(samples: &[i16], by_key: bool) -> &[i16] {
    if !by_key {
        return samples;
    }
    let mut end = samples.len().saturating_sub(KEY);
    while end >= 102 && holds_tone(&samples[end - 102..end]) {
        end -= 51;
    }
    &samples[..end]
}

/// From the first to the last block that is no silence.
fn speech(samples: &[i16]) -> Option<(usize, usize)> {
    let loud = |block: &[i16]| {
        let energy: i64 = block.iter().map(|s| i64::from(*s) * i64::from(*s)).sum();
        energy > SILENCE * block.len() as i64
    };
    let first = samples.chunks(BLOCK).position(loud)?;
    let last = samples.chunks(BLOCK).rposition(loud)?;
    Some((first * BLOCK, ((last + 1) * BLOCK).min(samples.len())))
}

/// 5 ms in and out, against clicks.
fn fade(samples: &mut [i16]) {
    let length = 40.min(samples.len() / 2);
    for n in 0..length {
        let gain = |s: i16| (i32::from(s) * n as i32 / length as i32) as i16;
        samples[n] = gain(samples[n]);
        let last = samples.len() - 1 - n;
        samples[last] = gain(samples[last]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something like speech: a tone of 300 Hz with syllables, at an amplitude.
    fn voice(ms: usize, amplitude: f64) -> Vec<i16> {
        let wave = |n: usize| (n as f64 * 300.0 * std::f64::consts::TAU / 8000.0).sin();
        (0..ms * 8).map(|n| (amplitude * wave(n) * if n % 1600 < 1200 { 1.0 } else { 0.3 }) as i16).collect()
    }

    fn take(parts: &[Vec<i16>], by_key: bool) -> Take {
        finish_samples(&parts.concat(), by_key)
    }

    #[test]
    fn a_good_take_is_trimmed_and_levelled() {
        let silence = vec![3; 8000];
        let done = take(&[silence.clone(), voice(2000, 2000.0), silence], true);
        assert_eq!(done.verdict, None);
        let length = done.audio.duration().as_millis();
        assert!((2150..=2220).contains(&length), "{length}");
        let loud = loudness(&done.audio.0).expect("loud");
        assert!((loud - LOUDNESS).abs() < 0.5, "{loud}");
    }

    #[test]
    fn each_verdict() {
        let pause = vec![0; 4000];
        assert_eq!(take(&[pause.clone(), voice(300, 3000.0), pause.clone()], false).verdict, Some(Verdict::TooShort));
        assert_eq!(take(&[voice(2000, 300.0)], false).verdict, Some(Verdict::TooQuiet));
        let broken = voice(2000, 90_000.0);
        assert_eq!(take(&[broken], false).verdict, Some(Verdict::Clipped));
        assert_eq!(take(&[pause], false).verdict, Some(Verdict::Silent));
        assert_eq!(take(&[], true).verdict, Some(Verdict::Silent));
    }

    #[test]
    fn a_quiet_take_is_lifted_so_far_and_no_farther() {
        let reference = loudness(&voice(2000, 3000.0)).expect("loud");
        let quieter_by = |db: f64| voice(2000, 3000.0 * 10f64.powf((LOUDNESS - db - reference) / 20.0));
        for (db, after, verdict) in
            [(GAIN_DB_MAX - 0.5, LOUDNESS, None), (GAIN_DB_MAX + 4.0, LOUDNESS - 4.0, Some(Verdict::TooQuiet))]
        {
            let mut samples = quieter_by(db);
            level(&mut samples);
            let loud = loudness(&samples).expect("loud");
            assert!((loud - after).abs() < 0.4, "{db} dB too quiet: {loud} LUFS");
            assert_eq!(take(&[quieter_by(db)], false).verdict, verdict, "{db} dB too quiet");
        }
    }

    #[test]
    fn the_tone_of_the_key_is_cut_off() {
        let wave = |f: f64, n: usize| (n as f64 * f * std::f64::consts::TAU / 8000.0).sin();
        let tone: Vec<i16> = (0..1600).map(|n| (6000.0 * (wave(941.0, n) + wave(1477.0, n))) as i16).collect();
        let done = take(&[voice(1000, 3000.0), vec![0; 800], tone], true);
        let length = done.audio.duration().as_millis();
        assert!((990..=1120).contains(&length), "{length}");
    }

    #[test]
    fn what_is_about_level_is_told_from_what_is_not() {
        let mut spoken = voice(2000, 900.0);
        assert!(!is_about_level(&spoken));
        level(&mut spoken);
        assert!(is_about_level(&spoken), "{:?}", loudness(&spoken));
        let louder: Vec<i16> = spoken.iter().map(|s| s * 2).collect();
        assert!(!is_about_level(&louder) && !is_about_level(&[]) && !is_about_level(&[1; 800]));
    }

    #[test]
    fn a_word_of_a_third_of_a_second_can_be_levelled() {
        let mut word = voice(300, 500.0);
        level(&mut word);
        let loud = loudness(&word).expect("loud");
        assert!((loud - LOUDNESS).abs() < 1.0, "{loud}");
    }
}
