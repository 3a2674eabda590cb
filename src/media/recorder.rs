//! Records what a caller says: packets go to their place by timestamp, so that reordering needs no queue and a lost
//! packet is a hole, which is concealed when the take ends.

use std::time::Duration;

use crate::model::{Audio, Mono, SAMPLE_RATE};
use crate::wire::g711::{FRAME, Law};
use crate::wire::rtp::timestamp_distance;

/// A packet that is further than this from where it is expected begins a new stretch there (a sender that jumped).
const JUMP: Duration = Duration::from_secs(2);
/// Holes up to this are filled with what was before them; longer ones fade to silence.
const CONCEALED: usize = 480;
/// A frame whose mean square is over this is speech (about -45 dBFS).
const SPEECH: i64 = 32 * 32 * 36;

/// When a recording ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLimits {
    /// A silence this long.
    pub silence: Duration,
    /// A length of this.
    pub length: Duration,
}

/// What was recorded, as it came: untrimmed, unlevelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTake {
    /// The samples.
    pub audio: Audio,
    /// Whether a key ended it (its tone and its click are to be cut off).
    pub by_key: bool,
}

/// A recording in progress.
#[derive(Debug)]
pub struct Recorder {
    limits: RecordLimits,
    begun: Mono,
    /// The timestamp of the first sample.
    base: Option<u32>,
    samples: Vec<i16>,
    /// One bit a frame of 20 ms: whether its samples came.
    here: Vec<bool>,
    last_speech: Mono,
}

impl Recorder {
    /// Begins now.
    pub fn new(now: Mono, limits: RecordLimits) -> Self {
        Self { limits, begun: now, base: None, samples: Vec::new(), here: Vec::new(), last_speech: now }
    }

    /// Takes the payload of an audio packet.
    pub fn handle(&mut self, now: Mono, timestamp: u32, law: Law, payload: &[u8]) {
        let Some(at) = self.place(timestamp) else { return };
        let end = at + payload.len();
        if end > self.length_max() {
            return;
        }
        if self.samples.len() < end {
            self.samples.resize(end, 0);
            self.here.resize(end.div_ceil(FRAME), false);
        }
        let mut energy = 0i64;
        for (sample, code) in self.samples[at..end].iter_mut().zip(payload) {
            *sample = law.decode(*code);
            energy += i64::from(*sample) * i64::from(*sample);
        }
        for frame in &mut self.here[at / FRAME..end.div_ceil(FRAME)] {
            *frame = true;
        }
        if energy > SPEECH * payload.len() as i64 {
            self.last_speech = now;
        }
    }

    /// Whether a silence or the length has ended it.
    pub fn is_over(&self, now: Mono) -> bool {
        now.since(self.last_speech) >= self.limits.silence || now.since(self.begun) >= self.limits.length
    }

    /// Ends it.
    pub fn finish(mut self, by_key: bool) -> RawTake {
        self.conceal();
        RawTake { audio: Audio(self.samples.into()), by_key }
    }

    /// Where the packet's samples go; a jump goes on right behind what there is, and what comes late from before the
    /// beginning is not of the take.
    fn place(&mut self, timestamp: u32) -> Option<usize> {
        let base = *self.base.get_or_insert(timestamp);
        let at = i64::from(timestamp_distance(base, timestamp));
        let expected = self.samples.len() as i64;
        let jump = JUMP.as_secs() as i64 * i64::from(SAMPLE_RATE);
        if at < 0 && at > -jump {
            return None;
        }
        if at < 0 || at > expected + jump || at < expected - jump {
            self.base = Some(timestamp.wrapping_sub(expected as u32));
            return Some(self.samples.len());
        }
        usize::try_from(at).ok()
    }

    fn length_max(&self) -> usize {
        self.limits.length.as_millis() as usize * SAMPLE_RATE as usize / 1000
    }

    /// Fills the holes: what was before them again, fading out over 60 ms (as ITU-T G.711 Appendix I does, without its pitch search).
    fn conceal(&mut self) {
        let mut missing = 0;
        for index in 0..self.here.len() {
            missing = if self.here[index] { 0 } else { missing + 1 };
            if missing == 0 || missing * FRAME > CONCEALED || index < missing {
                continue;
            }
            let (source, from, to) = (index - missing, index * FRAME, ((index + 1) * FRAME).min(self.samples.len()));
            for at in from..to {
                let step = (missing - 1) * FRAME + (at - from);
                let gain = (CONCEALED - step) as i32;
                let old = i32::from(self.samples[source * FRAME + (at - from)]);
                self.samples[at] = (old * gain / CONCEALED as i32) as i16;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RecordLimits = RecordLimits { silence: Duration::from_secs(4), length: Duration::from_secs(10) };

    fn ms(ms: u64) -> Mono {
        Mono(ms * 1000)
    }

    fn loud(level: i16) -> [u8; FRAME] {
        [Law::Mu.encode(level); FRAME]
    }

    #[test]
    fn packets_go_to_their_place_whatever_their_order() {
        let mut recorder = Recorder::new(ms(0), LIMITS);
        let base = u32::MAX - 100;
        for n in [0u32, 2, 1, 1, 3] {
            recorder.handle(ms(20), base.wrapping_add(n * 160), Law::Mu, &loud(1000 * (n as i16 + 1)));
        }
        let audio = recorder.finish(false).audio;
        let heard: Vec<i16> = (0..4).map(|n| audio.0[n * FRAME + 80] / 950).collect();
        assert_eq!((audio.0.len(), heard), (640, vec![1, 2, 3, 4]));
    }

    #[test]
    fn a_lost_packet_is_concealed_and_a_long_gap_fades() {
        let mut recorder = Recorder::new(ms(0), LIMITS);
        recorder.handle(ms(0), 0, Law::Mu, &loud(8000));
        recorder.handle(ms(40), 10 * 160, Law::Mu, &loud(8000));
        let audio = recorder.finish(false).audio;
        let frame = |n: usize| audio.0[n * FRAME + 10];
        assert!(
            frame(1) > 6000 && frame(2) < frame(1) && frame(3) < frame(2),
            "{} {} {}",
            frame(1),
            frame(2),
            frame(3)
        );
        assert_eq!(frame(5), 0);
    }

    #[test]
    fn silence_and_length_end_it() {
        let mut recorder = Recorder::new(ms(0), LIMITS);
        for n in 0..50u32 {
            recorder.handle(ms(u64::from(n) * 20), n * 160, Law::Mu, &loud(if n < 25 { 3000 } else { 20 }));
        }
        assert!(!recorder.is_over(ms(4479)) && recorder.is_over(ms(4480)));
        let mut talker = Recorder::new(ms(0), LIMITS);
        for n in 0..600u32 {
            talker.handle(ms(u64::from(n) * 20), n * 160, Law::Mu, &loud(3000));
        }
        assert!(talker.is_over(ms(10_000)));
        assert_eq!(talker.finish(true).audio.duration(), Duration::from_secs(10));
    }

    #[test]
    fn a_sender_that_jumps_costs_no_memory() {
        let mut recorder = Recorder::new(ms(0), LIMITS);
        for n in 0..5u32 {
            recorder.handle(ms(20), n.wrapping_mul(0x4000_0000), Law::Mu, &loud(3000));
        }
        assert_eq!(recorder.finish(false).audio.0.len(), 5 * FRAME);
    }
}
