//! WAV files: read from what people bring, written as the PBX wants them.

use std::io::Cursor;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use rubato::audioadapter_buffers::owned::InterleavedOwned;
use rubato::{Fft, FixedSync, Resampler};

use crate::model::{Audio, SAMPLE_RATE};

/// Largest file that is read: five minutes of 48 kHz stereo at 32 bits, and room for other chunks.
pub const WAV_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Highest sample rate that is read, in hertz; the lowest is [`SAMPLE_RATE`].
pub const WAV_RATE_MAX: u32 = 48_000;
/// Frames that are resampled at once.
const CHUNK_FRAMES: usize = 1024;

/// Why bytes are no audio for us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// More than [`WAV_BYTES_MAX`].
    #[error("the file is larger than {} MiB", WAV_BYTES_MAX / 1024 / 1024)]
    TooLarge,
    /// Longer than the caller takes.
    #[error("it lasts longer than {0} s")]
    TooLong(u32),
    /// Not a WAV file, or cut off.
    #[error("it is not a whole WAV file: {0}")]
    Malformed(String),
    /// A format that is not read.
    #[error(
        "it has {channels} channels at {rate} Hz, {bits} bits {kind}; what is read is mono or stereo at 8000 to 48000 Hz, PCM of 8, 16, 24 or 32 bits or float of 32"
    )]
    Unsupported {
        /// Channels.
        channels: u16,
        /// Sample rate, in hertz.
        rate: u32,
        /// Bits a sample.
        bits: u16,
        /// `PCM` or `float`.
        kind: &'static str,
    },
    /// The resampler or the writer refused it.
    #[error("it can't be converted: {0}")]
    Conversion(String),
}

/// Writes audio as 16-bit mono PCM at 8000 Hz; the same audio gives the same bytes.
pub fn write(audio: &Audio) -> Result<Vec<u8>, WavError> {
    let spec = WavSpec { channels: 1, sample_rate: SAMPLE_RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let conversion = |why: hound::Error| WavError::Conversion(why.to_string());
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).map_err(conversion)?;
    for sample in audio.0.iter() {
        writer.write_sample(*sample).map_err(conversion)?;
    }
    writer.finalize().map_err(conversion)?;
    Ok(bytes.into_inner())
}

/// The sample rate that a WAV file says it has, in hertz.
///
/// # Errors
/// It is no WAV file.
pub fn rate(bytes: &[u8]) -> Result<u32, WavError> {
    let reader = WavReader::new(Cursor::new(bytes)).map_err(|why| WavError::Malformed(why.to_string()))?;
    Ok(reader.spec().sample_rate)
}

/// Reads a file of at most `seconds_max` and brings it to mono at 8000 Hz.
pub fn read(bytes: &[u8], seconds_max: u32) -> Result<Audio, WavError> {
    if bytes.len() > WAV_BYTES_MAX {
        return Err(WavError::TooLarge);
    }
    let malformed = |why: hound::Error| WavError::Malformed(why.to_string());
    let reader = WavReader::new(Cursor::new(bytes)).map_err(malformed)?;
    let spec = reader.spec();
    let scale = scale_of(spec)?;
    if u64::from(reader.duration()) > u64::from(seconds_max) * u64::from(spec.sample_rate) {
        return Err(WavError::TooLong(seconds_max));
    }
    let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        SampleFormat::Float => reader.into_samples::<f32>().collect(),
        SampleFormat::Int => reader.into_samples::<i32>().map(|s| s.map(|s| s as f32 * scale)).collect(),
    };
    let mono = mixed(&samples.map_err(malformed)?, spec.channels);
    let resampled = if spec.sample_rate == SAMPLE_RATE { mono } else { resampled(mono, spec.sample_rate)? };
    Ok(Audio(resampled.into_iter().map(to_i16).collect()))
}

/// What one step of a sample is worth, where the format is one that is read.
fn scale_of(spec: WavSpec) -> Result<f32, WavError> {
    let fits = (1..=2).contains(&spec.channels) && (SAMPLE_RATE..=WAV_RATE_MAX).contains(&spec.sample_rate);
    match (spec.sample_format, spec.bits_per_sample) {
        (SampleFormat::Float, 32) if fits => Ok(1.0),
        (SampleFormat::Int, bits @ (8 | 16 | 24 | 32)) if fits => Ok(1.0 / (1_u64 << (bits - 1)) as f32),
        (format, bits) => Err(WavError::Unsupported {
            channels: spec.channels,
            rate: spec.sample_rate,
            bits,
            kind: if format == SampleFormat::Float { "float" } else { "PCM" },
        }),
    }
}

/// The mean of the channels; what is not a number is silence.
fn mixed(samples: &[f32], channels: u16) -> Vec<f32> {
    let finite = |sample: &f32| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
    let frames = samples.chunks_exact(usize::from(channels));
    frames.map(|frame| frame.iter().map(finite).sum::<f32>() / f32::from(channels)).collect()
}

fn resampled(mono: Vec<f32>, rate: u32) -> Result<Vec<f32>, WavError> {
    if mono.is_empty() {
        return Ok(mono);
    }
    let frames = mono.len();
    let (from, to) = (usize::try_from(rate).unwrap_or(usize::MAX), usize::try_from(SAMPLE_RATE).unwrap_or(1));
    let input = InterleavedOwned::new_from(mono, 1, frames).map_err(|why| WavError::Conversion(why.to_string()))?;
    let mut resampler = Fft::<f32>::new(from, to, CHUNK_FRAMES, 1, FixedSync::Both)
        .map_err(|why| WavError::Conversion(why.to_string()))?;
    let output = resampler.process_all(&input, frames, None).map_err(|why| WavError::Conversion(why.to_string()))?;
    Ok(output.take_data())
}

fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One second of a tone at half of full scale.
    fn tone(rate: u32, channels: u16, bits: u16, format: SampleFormat) -> Vec<u8> {
        let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: format };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        for n in 0..rate {
            let value = (f64::from(n) * 440.0 * std::f64::consts::TAU / f64::from(rate)).sin() * 0.5;
            for _ in 0..channels {
                match format {
                    SampleFormat::Float => writer.write_sample(value as f32).unwrap(),
                    SampleFormat::Int => {
                        writer.write_sample((value * (2_f64.powi(i32::from(bits) - 1) - 1.0)).round() as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    /// The amplitude of the tone and the worst that is not of it, in the middle where the filter's edges do not count
    /// (the phase is free: the resampler's delay is not a whole number of samples).
    fn tone_in(audio: &Audio) -> (f64, f64) {
        let turn = |n: i32| f64::from(n) * 440.0 * std::f64::consts::TAU / 8000.0;
        let middle = || (1000..7000).map(|n| (turn(n), f64::from(audio.0[n as usize])));
        let (mut sine, mut cosine) = (0.0, 0.0);
        for (at, sample) in middle() {
            sine += at.sin() * sample / 3000.0;
            cosine += at.cos() * sample / 3000.0;
        }
        let off = |(at, sample): (f64, f64)| (sample - at.sin() * sine - at.cos() * cosine).abs();
        (sine.hypot(cosine), middle().map(off).fold(0.0, f64::max))
    }

    #[test]
    fn every_format_gives_the_same_second() {
        let formats = [
            (8, SampleFormat::Int),
            (16, SampleFormat::Int),
            (24, SampleFormat::Int),
            (32, SampleFormat::Int),
            (32, SampleFormat::Float),
        ];
        for rate in [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000] {
            for channels in [1, 2] {
                for (bits, format) in formats {
                    let audio = read(&tone(rate, channels, bits, format), 2).unwrap();
                    let name = format!("{rate} Hz, {channels} channels, {bits} bits {format:?}");
                    assert!(audio.0.len().abs_diff(8000) <= 1, "{name}: {} samples", audio.0.len());
                    let (amplitude, rest) = tone_in(&audio);
                    assert!((amplitude - 16_384.0).abs() < 200.0, "{name}: {amplitude}");
                    assert!(rest < if bits == 8 { 300.0 } else { 100.0 }, "{name}: off by {rest}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back_bit_for_bit() {
        let audio = Audio((-4000..4000).map(|n| (n * 8) as i16).collect());
        let bytes = write(&audio).unwrap();
        assert_eq!(&bytes[..4], b"RIFF");
        assert_eq!(bytes.len(), 44 + 16_000);
        assert_eq!(read(&bytes, 1).unwrap(), audio);
        let empty = Audio(Vec::new().into());
        assert_eq!(read(&write(&empty).unwrap(), 1).unwrap(), empty);
    }

    #[test]
    fn what_is_too_long_or_of_another_kind_is_refused() {
        let bytes = tone(8000, 1, 16, SampleFormat::Int);
        assert_eq!(read(&bytes, 0), Err(WavError::TooLong(0)));
        assert!(matches!(read(&bytes[..9000], 2), Err(WavError::Malformed(_))));
        assert!(matches!(read(b"OggS, which is no WAV file at all", 2), Err(WavError::Malformed(_))));
        let three = tone(8000, 3, 16, SampleFormat::Int);
        let unsupported = WavError::Unsupported { channels: 3, rate: 8000, bits: 16, kind: "PCM" };
        assert_eq!(read(&three, 2), Err(unsupported));
        let slow = tone(4000, 1, 16, SampleFormat::Int);
        assert!(matches!(read(&slow, 2), Err(WavError::Unsupported { rate: 4000, .. })));
        let fast = tone(96_000, 1, 16, SampleFormat::Int);
        assert!(matches!(read(&fast, 2), Err(WavError::Unsupported { rate: 96_000, .. })));
        let just_too_fast = tone(WAV_RATE_MAX + 1, 1, 16, SampleFormat::Int);
        assert!(matches!(read(&just_too_fast, 2), Err(WavError::Unsupported { .. })));
        let mut long = vec![0; WAV_BYTES_MAX];
        assert!(matches!(read(&long, 2), Err(WavError::Malformed(_))), "as long as it may be");
        long.push(0);
        assert_eq!(read(&long, 2), Err(WavError::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0_usize..60, byte in any::<u8>(), cut in 0_usize..200) {
            let mut bytes = tone(8000, 1, 16, SampleFormat::Int);
            bytes.truncate(300);
            bytes[at] = byte;
            bytes.truncate(300 - cut);
            let _ = read(&bytes, 1);
        }
    }
}
