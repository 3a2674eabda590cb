//! Records what a caller says: packets go to their place by timestamp, so that reordering needs no queue and a lost
//! packet is a hole, which is concealed when the take ends. A take grows no faster than time goes by, and all that are in
//! progress share one [`Pool`] of memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::model::{Mono, SAMPLE_RATE};
use crate::wire::g711::{FRAME, Law};
use crate::wire::rtp::timestamp_distance;

/// A packet that is further than this from where it is expected begins a new stretch there (a sender that jumped).
const JUMP: Duration = Duration::from_secs(2);
/// What all recordings in progress may hold together, in bytes of G.711: 27 of 5 minutes, or 270 of 30 s.
const POOL_BYTES: usize = 64 << 20;
/// What a recording takes of it at a time, in bytes: 8 s.
const SHARE_BYTES: usize = 64_000;
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

/// What was recorded, as it came: encoded, with its holes, untrimmed, unlevelled. To be decoded where it holds nobody up:
/// five minutes are 2.4 million samples, for which a thread with 500 calls has no time.
#[derive(Clone, PartialEq, Eq)]
pub struct RawTake {
    codes: Vec<u8>,
    law: Law,
    /// One for each frame of 20 ms: whether its samples came.
    here: Vec<bool>,
    /// Whether a key ended it (its tone and its click are to be cut off).
    pub by_key: bool,
}

impl RawTake {
    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.codes.len() as u64 * 125)
    }

    /// Decodes it, and conceals what is missing.
    pub fn samples(&self) -> Vec<i16> {
        let mut samples: Vec<i16> = self.codes.iter().map(|code| self.law.decode(*code)).collect();
        conceal(&mut samples, &self.here);
        samples
    }
}

/// Prints nothing of what was said, or keyed by tones.
impl std::fmt::Debug for RawTake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawTake({} ms, by key: {})", self.duration().as_millis(), self.by_key)
    }
}

/// The memory that all recordings in progress share.
#[derive(Debug, Default)]
pub struct Pool {
    used: AtomicUsize,
}

/// What one recording has of the pool; given back when it is dropped.
#[derive(Debug)]
struct Share {
    pool: Arc<Pool>,
    bytes: usize,
}

/// A recording in progress.
#[derive(Debug)]
pub struct Recorder {
    limits: RecordLimits,
    begun: Mono,
    /// The timestamp of the first sample.
    base: Option<u32>,
    /// The law of the first packet, in which all is kept.
    law: Law,
    codes: Vec<u8>,
    share: Share,
    /// The pool had no more.
    is_full: bool,
    /// One for each frame of 20 ms: whether its samples came.
    here: Vec<bool>,
    last_speech: Mono,
}

impl Recorder {
    /// Begins now.
    pub fn new(now: Mono, limits: RecordLimits, pool: Arc<Pool>) -> Self {
        Self {
            limits,
            begun: now,
            base: None,
            law: Law::Mu,
            codes: Vec::new(),
            share: Share { pool, bytes: 0 },
            is_full: false,
            here: Vec::new(),
            last_speech: now,
        }
    }

    /// Takes the payload of an audio packet.
    pub fn handle(&mut self, now: Mono, timestamp: u32, law: Law, payload: &[u8]) {
        // As long as it has lasted, and what the network may have held up before.
        let spoken_max = samples(now.since(self.begun) + JUMP);
        let Some(at) = self.place(timestamp, spoken_max.saturating_sub(payload.len())) else { return };
        let end = at + payload.len();
        if end > spoken_max.min(samples(self.limits.length)) || !self.has_room(end) {
            return;
        }
        if self.codes.is_empty() {
            self.law = law;
        }
        if self.codes.len() < end {
            self.codes.resize(end, self.law.silence());
            self.here.resize(end.div_ceil(FRAME), false);
        }
        let mut energy = 0i64;
        for (kept, code) in self.codes[at..end].iter_mut().zip(payload) {
            let sample = law.decode(*code);
            *kept = if law == self.law { *code } else { self.law.encode(sample) };
            energy += i64::from(sample) * i64::from(sample);
        }
        for frame in &mut self.here[at / FRAME..end.div_ceil(FRAME)] {
            *frame = true;
        }
        if energy > SPEECH * payload.len() as i64 {
            self.last_speech = now;
        }
    }

    /// Whether a silence, the length or the want of memory has ended it.
    pub fn is_over(&self, now: Mono) -> bool {
        self.is_full
            || now.since(self.last_speech) >= self.limits.silence
            || now.since(self.begun) >= self.limits.length
    }

    /// Ends it, in the same time however long it is.
    pub fn finish(self, by_key: bool) -> RawTake {
        let Self { codes, law, here, .. } = self;
        RawTake { codes, law, here, by_key }
    }

    /// Where the packet's samples go; a jump goes on right behind what there is, and what comes late from before the
    /// beginning is not of the take. A packet that would begin after `latest`, where nobody can have got by speaking, is
    /// one of a sender that jumped.
    fn place(&mut self, timestamp: u32, latest: usize) -> Option<usize> {
        let base = *self.base.get_or_insert(timestamp);
        let at = i64::from(timestamp_distance(base, timestamp));
        let expected = self.codes.len() as i64;
        let jump = JUMP.as_secs() as i64 * i64::from(SAMPLE_RATE);
        if at < 0 && at > -jump {
            return None;
        }
        if at < 0 || at > expected + jump || at < expected - jump || at > latest as i64 {
            self.base = Some(timestamp.wrapping_sub(expected as u32));
            return Some(self.codes.len());
        }
        usize::try_from(at).ok()
    }

    /// Whether there is memory for so many bytes.
    fn has_room(&mut self, bytes: usize) -> bool {
        while self.share.bytes < bytes {
            if !self.share.grow() {
                self.is_full = true;
                return false;
            }
            self.codes.reserve_exact(self.share.bytes - self.codes.len());
        }
        true
    }
}

fn samples(time: Duration) -> usize {
    usize::try_from(time.as_millis()).unwrap_or(usize::MAX).saturating_mul(SAMPLE_RATE as usize) / 1000
}

impl Share {
    /// Takes another piece; `false` where the pool has no more.
    fn grow(&mut self) -> bool {
        let more = |used: usize| Some(used + SHARE_BYTES).filter(|used| *used <= POOL_BYTES);
        let has_grown = self.pool.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        self.bytes += if has_grown { SHARE_BYTES } else { 0 };
        has_grown
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.pool.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Fills the holes of a take: what was before them again, fading out over 60 ms (as ITU-T G.711 Appendix I does, without
/// its pitch search). `here` says of each frame whether it came.
fn conceal(samples: &mut [i16], here: &[bool]) {
    let mut missing = 0;
    for (index, is_here) in here.iter().enumerate() {
        missing = if *is_here { 0 } else { missing + 1 };
        if missing == 0 || missing * FRAME > CONCEALED || index < missing {
            continue;
        }
        let (source, from, to) = (index - missing, index * FRAME, ((index + 1) * FRAME).min(samples.len()));
        for at in from..to {
            let step = (missing - 1) * FRAME + (at - from);
            let gain = (CONCEALED - step) as i32;
            let old = i32::from(samples[source * FRAME + (at - from)]);
            samples[at] = (old * gain / CONCEALED as i32) as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RecordLimits = RecordLimits { silence: Duration::from_secs(4), length: Duration::from_secs(10) };

    fn new() -> Recorder {
        Recorder::new(ms(0), LIMITS, Arc::default())
    }

    fn ms(ms: u64) -> Mono {
        Mono(ms * 1000)
    }

    fn loud(level: i16) -> [u8; FRAME] {
        [Law::Mu.encode(level); FRAME]
    }

    #[test]
    fn packets_go_to_their_place_whatever_their_order() {
        let mut recorder = new();
        let base = u32::MAX - 100;
        for n in [0u32, 2, 1, 1, 3] {
            recorder.handle(ms(20), base.wrapping_add(n * 160), Law::Mu, &loud(1000 * (n as i16 + 1)));
        }
        let samples = recorder.finish(false).samples();
        let heard: Vec<i16> = (0..4).map(|n| samples[n * FRAME + 80] / 950).collect();
        assert_eq!((samples.len(), heard), (640, vec![1, 2, 3, 4]));
    }

    #[test]
    fn a_lost_packet_is_concealed_and_a_long_gap_fades() {
        let mut recorder = new();
        recorder.handle(ms(0), 0, Law::Mu, &loud(8000));
        recorder.handle(ms(40), 10 * 160, Law::Mu, &loud(8000));
        let samples = recorder.finish(false).samples();
        let frame = |n: usize| samples[n * FRAME + 10];
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
        let mut recorder = new();
        for n in 0..50u32 {
            recorder.handle(ms(u64::from(n) * 20), n * 160, Law::Mu, &loud(if n < 25 { 3000 } else { 20 }));
        }
        assert!(!recorder.is_over(ms(4479)) && recorder.is_over(ms(4480)));
        let mut talker = new();
        for n in 0..600u32 {
            talker.handle(ms(u64::from(n) * 20), n * 160, Law::Mu, &loud(3000));
        }
        assert!(talker.is_over(ms(10_000)));
        assert_eq!(talker.finish(true).duration(), Duration::from_secs(10));
    }

    #[test]
    fn a_sender_that_jumps_costs_no_memory() {
        let mut recorder = new();
        for n in 0..5u32 {
            recorder.handle(ms(20), n.wrapping_mul(0x4000_0000), Law::Mu, &loud(3000));
        }
        assert_eq!(recorder.finish(false).samples().len(), 5 * FRAME);
    }

    /// Tiny packets, each with a timestamp 2 s after the former's, would else fill the longest take at once.
    #[test]
    fn it_grows_no_faster_than_time_goes_by() {
        let limits = RecordLimits { length: Duration::from_secs(300), ..LIMITS };
        let mut recorder = Recorder::new(ms(0), limits, Arc::default());
        for n in 0..1000u32 {
            recorder.handle(ms(u64::from(n)), n * 16_000, Law::Mu, &[1]);
        }
        assert!(recorder.codes.len() < 3 * SAMPLE_RATE as usize, "{} samples in a second", recorder.codes.len());
        // A caller who says nothing for a while, and whose phone then sends nothing, has a hole as long as that was.
        let mut recorder = Recorder::new(ms(0), limits, Arc::default());
        recorder.handle(ms(0), 0, Law::Mu, &loud(3000));
        recorder.handle(ms(1900), 1900 * 8, Law::Mu, &loud(3000));
        assert_eq!(recorder.finish(false).samples().len(), 1900 * 8 + FRAME);
    }

    #[test]
    fn all_recordings_share_one_pool_which_ends_who_finds_it_empty() {
        let pool = Arc::new(Pool::default());
        let limits = RecordLimits { length: Duration::from_secs(3600), silence: Duration::from_secs(3600) };
        let mut recorders = Vec::new();
        let record = |recorders: &mut Vec<Recorder>| {
            let mut recorder = Recorder::new(ms(0), limits, Arc::clone(&pool));
            for second in 0..100u32 {
                recorder.handle(ms(u64::from(second) * 1000), second * SAMPLE_RATE, Law::Mu, &[1]);
            }
            let is_over = recorder.is_over(ms(100_000));
            recorders.push(recorder);
            is_over
        };
        assert_eq!((0..200).take_while(|_| !record(&mut recorders)).count(), POOL_BYTES / (13 * SHARE_BYTES));
        let held: usize = recorders.iter().map(|recorder| recorder.codes.capacity()).sum();
        assert!(held <= POOL_BYTES, "{held} bytes are held");
        let cut_short = recorders.pop().expect("one").finish(false).samples().len();
        assert!(cut_short > 0 && cut_short < 800_000, "what there was room for is kept: {cut_short} samples");
        recorders.pop();
        assert!(!record(&mut recorders), "an end makes room");
        drop(recorders);
        assert_eq!(pool.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_change_of_the_law_is_not_heard() {
        let mut recorder = new();
        recorder.handle(ms(0), 0, Law::A, &[Law::A.encode(4000); FRAME]);
        recorder.handle(ms(20), 160, Law::Mu, &[Law::Mu.encode(4000); FRAME]);
        let samples = recorder.finish(false).samples();
        assert!(samples.iter().all(|sample| (3900..4100).contains(sample)), "{:?}", &samples[158..162]);
    }

    /// What ends on a media thread is handed over as it came, in the memory that it was in.
    #[test]
    fn the_end_of_a_take_touches_none_of_its_samples() {
        let mut recorder = new();
        for n in 0..100u32 {
            recorder.handle(ms(u64::from(n) * 20), n * 160, Law::A, &[Law::A.encode(-3000); FRAME]);
        }
        let codes = recorder.codes.as_ptr();
        let take = recorder.finish(true);
        assert!(std::ptr::eq(take.codes.as_ptr(), codes) && take.codes == [Law::A.encode(-3000); 100 * FRAME]);
        assert_eq!((take.duration(), take.samples().len()), (Duration::from_secs(2), 16_000));
        assert_eq!(format!("{take:?}"), "RawTake(2000 ms, by key: true)");
        let heard = take.samples()[8000];
        assert!((-3100..-2900).contains(&heard), "decoded by its own law: {heard}");
    }
}
