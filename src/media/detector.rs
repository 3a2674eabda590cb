//! Keys by RFC 4733: each press of which a packet arrived is one key, reported at its first packet, whatever that is.
//!
//! ```text
//!   seq   100  101  102  103  104  105  106  107        ts = 10000 for all of one press
//!         M,160 320  480  640  E800 E800 E800 (audio)   E = the end bit, sent three times
//!         ^ reported here, or at whichever of these arrives first
//! ```
//!
//! A press is known by (SSRC, timestamp, event). Senders break that in ways that a receiver has to live with; each
//! has its arm in [`Press::continues`]: a key held for over 8 s goes on in a segment with a timestamp exactly 0xFFFF
//! later (RFC 4733 section 2.5.1.3); some stamp each packet, or the last ends, anew; some use one timestamp for the
//! next press too.

use std::time::Duration;

use zeroize::Zeroize;

use crate::model::Mono;
use crate::wire::dtmf;
use crate::wire::rtp::{Packet, sequence_distance, timestamp_distance};

/// Presses that are remembered, so that late packets of a former one are known: reordering is a few packets, not a few presses.
const PRESSES_REMEMBERED: usize = 8;
/// A key is taken as up when its updates have stopped for this long (RFC 4733 section 2.5.2.2: three packet times and jitter).
const UP_AFTER: Duration = Duration::from_millis(200);
/// An end packet this long after the former end with the same timestamp is another press of a sender that reuses it.
const REUSED_AFTER: Duration = Duration::from_millis(500);
/// The distance from one timestamp to the next segment's (RFC 4733 section 2.5.1.3).
const SEGMENT: i64 = 0xFFFF;
/// Packets within which a re-stamped end or update still belongs to the press: fewer than any new press needs after a
/// former one (its last two ends, a pause, its own updates).
const RESTAMPED_WITHIN: i16 = 3;
/// The longest interval of a press's packets: 50 ms (RFC 4733 section 2.5.1.2), in units of the timestamp.
const UPDATE_INTERVAL_MAX: i64 = 400;

/// What a packet told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A key went down: its event code, 0 to 15.
    Down(u8),
    /// The key that went down last is up.
    Up,
}

/// The receiver of one stream's telephone events. The last presses may be a PIN: they are known for as long as the stream
/// lasts, as late packets have to be told from new presses, and wiped when this is dropped.
#[derive(Clone, Default)]
pub struct Detector {
    presses: [Option<Press>; PRESSES_REMEMBERED],
    newest: usize,
    /// When the newest press was last heard of, while it is down.
    down_since_packet: Option<Mono>,
}

#[derive(Clone, Copy)]
struct Press {
    ssrc: u32,
    code: u8,
    /// Timestamp, duration and sequence number of its newest packet.
    timestamp: u32,
    duration: u16,
    sequence: u16,
    /// The duration at its end, once an end packet came.
    ended: bool,
    heard: Mono,
    /// It was last told of with another timestamp, by what seems to be a sender that stamps each packet anew.
    restamped: bool,
    /// It had two durations with one timestamp: its sender does not stamp each packet anew.
    is_steady: bool,
}

/// How an event block relates to a press that is remembered.
#[derive(PartialEq, Eq)]
enum Relation {
    /// It is the press, told again.
    Same,
    /// It is another press, though it looks like this one.
    Another,
    /// They have nothing to do with each other.
    None,
}

impl Detector {
    /// Takes a packet of the negotiated payload type and tells what happened; at most two things an event block.
    pub fn handle(&mut self, now: Mono, packet: &Packet<'_>, mut tell: impl FnMut(Told)) {
        let mut timestamp = packet.timestamp;
        for event in dtmf::events(packet.payload) {
            // Duration 0 is for states, not keys (RFC 4733 section 2.3.4); above 15 are no keys.
            if event.code <= 15 && event.duration > 0 {
                let block = Press {
                    ssrc: packet.ssrc,
                    code: event.code,
                    timestamp,
                    duration: event.duration,
                    sequence: packet.sequence,
                    ended: event.end,
                    heard: now,
                    restamped: false,
                    is_steady: false,
                };
                self.handle_block(now, block, packet.marker, &mut tell);
            }
            // Blocks of one packet follow each other in time (RFC 4733 section 2.5.1.5).
            timestamp = timestamp.wrapping_add(u32::from(event.duration));
        }
    }

    /// Tells [`Told::Up`] for a key whose end packets were all lost.
    pub fn handle_timeout(&mut self, now: Mono, mut tell: impl FnMut(Told)) {
        if self.down_since_packet.is_some_and(|heard| now.since(heard) >= UP_AFTER) {
            self.down_since_packet = None;
            tell(Told::Up);
        }
    }

    /// Whether a key is down now.
    pub fn is_down(&self) -> bool {
        self.down_since_packet.is_some()
    }

    fn handle_block(&mut self, now: Mono, block: Press, marker: bool, tell: &mut impl FnMut(Told)) {
        let mut known = None;
        for (index, press) in self.presses.iter_mut().enumerate() {
            let Some(press) = press else { continue };
            match press.relation(&block, marker) {
                Relation::Same => {
                    press.update(&block);
                    known = Some(index);
                    break;
                }
                // The press that it looks like must not swallow its next packets.
                Relation::Another => press.code = u8::MAX,
                Relation::None => {}
            }
        }
        match known {
            Some(index) if index == self.newest => self.note_end(now, block.ended, tell),
            Some(_) => {}
            None => {
                self.newest = (self.newest + 1) % PRESSES_REMEMBERED;
                self.presses[self.newest] = Some(block);
                if self.down_since_packet.take().is_some() {
                    tell(Told::Up);
                }
                tell(Told::Down(block.code));
                self.down_since_packet = Some(now);
                self.note_end(now, block.ended, tell);
            }
        }
    }

    fn note_end(&mut self, now: Mono, ended: bool, tell: &mut impl FnMut(Told)) {
        if let Some(heard) = &mut self.down_since_packet {
            *heard = now;
            if ended {
                self.down_since_packet = None;
                tell(Told::Up);
            }
        }
    }
}

impl Drop for Detector {
    fn drop(&mut self) {
        self.presses.iter_mut().flatten().for_each(|press| press.code.zeroize());
    }
}

impl Press {
    fn relation(&self, block: &Press, marker: bool) -> Relation {
        if self.ssrc != block.ssrc || self.code != block.code {
            return Relation::None;
        }
        if self.timestamp == block.timestamp {
            let is_another = self.is_reused_by(block) || self.was_another_before(block);
            return if is_another { Relation::Another } else { Relation::Same };
        }
        if self.continues(block, marker) { Relation::Same } else { Relation::None }
    }

    /// Whether a block with the same timestamp and event is a press of its own: a newer packet that begins again.
    fn is_reused_by(&self, block: &Press) -> bool {
        let newer = sequence_distance(self.sequence, block.sequence) > 0;
        let begins_again = !block.ended && (self.ended || block.duration < self.duration);
        let long_after = self.ended && block.heard.since(self.heard) > REUSED_AFTER;
        newer && (begins_again || long_after)
    }

    /// Whether what was taken for a new stamp of the press was the next press already, of which this is an update: a sender
    /// that stamps each packet anew has no two durations with one timestamp.
    fn was_another_before(&self, block: &Press) -> bool {
        self.restamped && block.duration != self.duration
    }

    /// Whether a block with another timestamp is still this press.
    fn continues(&self, block: &Press, marker: bool) -> bool {
        if marker {
            return false;
        }
        // Wide enough for the negative of the farthest one, 2^31 before.
        let later = i64::from(timestamp_distance(self.timestamp, block.timestamp));
        let packets = sequence_distance(self.sequence, block.sequence);
        // The next segment of a key held down, or what is late of the one before.
        let next_segment = !self.ended && later == SEGMENT;
        let former_segment = packets < 0 && later == -SEGMENT;
        // Stamped anew at each packet: the duration grows as the timestamp does, or the two overlap, which two
        // presses of one key can't. What has ended grows no more.
        let is_over = self.ended && packets > 0 && block.duration > self.duration;
        let grows_alike = !self.is_steady && !is_over && later == i64::from(block.duration) - i64::from(self.duration);
        let overlaps = later <= i64::from(self.duration) && -later <= i64::from(block.duration);
        // The last ends stamped anew, just behind what is known of the press, in packets and in time.
        let in_time = later <= i64::from(self.duration) + i64::from(packets) * UPDATE_INTERVAL_MAX;
        let just_behind = (1..=RESTAMPED_WITHIN).contains(&packets) && in_time;
        let end_again = just_behind && block.ended && block.duration >= self.duration;
        next_segment || former_segment || grows_alike || overlaps || end_again
    }

    fn update(&mut self, block: &Press) {
        self.is_steady |= self.timestamp == block.timestamp && self.duration != block.duration;
        if sequence_distance(self.sequence, block.sequence) > 0 {
            let ended = self.ended || block.ended;
            let later = i64::from(timestamp_distance(self.timestamp, block.timestamp));
            let restamped = if later == 0 { self.restamped } else { later != SEGMENT };
            *self = Press { ended, restamped, is_steady: self.is_steady, ..*block };
        } else {
            self.ended |= block.ended;
        }
    }
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;
