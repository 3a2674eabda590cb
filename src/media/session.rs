//! One call's RTP session: what the peer sends is let in from where it may come, what it hears goes out every 20 ms.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroize;

use crate::media::consent::Consent;
use crate::media::detector::{Detector, Told};
use crate::media::inband::{InBand, Tone};
use crate::media::player::{Item, Player};
use crate::media::recorder::{Pool, RawTake, RecordLimits, Recorder};
use crate::media::reports::Reports;
use crate::media::security::Srtp;
pub use crate::media::security::{SEQUENCE_FIRST_MAX, Security, sequence_first};
use crate::media::source::Source;
use crate::media::statistics::Statistics;
use crate::model::{Bucket, Key, Mono, Rate, Ticket};
use crate::wire::g711::{FRAME, Law};
use crate::wire::rtcp::{self, REPORT_BYTES_MAX, Report, Sent};
use crate::wire::rtp::{DATAGRAM_BYTES_MAX, HEADER_BYTES, Packet};
use crate::wire::srtp::RTP_EXTRA_MAX;

/// One packet of ours: header and 20 ms, with room for what SRTP adds.
pub const PACKET_BYTES: usize = HEADER_BYTES + FRAME + RTP_EXTRA_MAX;
/// Things told and not yet polled; more are dropped, the oldest first. One packet tells at most sixteen.
const EVENTS_MAX: usize = 64;
/// Samples of the peer that are listened to in a second (in-band keys, recordings): a quarter more than it can speak, so
/// that its clock may be fast.
const SAMPLES_A_SECOND: u32 = 10_000;
/// Samples that may come at once, after the network held them up: 2 s.
const SAMPLES_AT_ONCE: u32 = 16_000;
const SAMPLES: Rate = Rate::per_second(SAMPLES_A_SECOND, SAMPLES_AT_ONCE);

/// What was agreed about the stream, by offer and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Where RTP goes.
    pub rtp: SocketAddr,
    /// Where RTCP goes.
    pub rtcp: SocketAddr,
    /// The codec.
    pub law: Law,
    /// The payload type of telephone-event, where it was agreed.
    pub event_payload_type: Option<u8>,
    /// Whether the peer wants to hear us (it does not while it holds the call).
    pub receives: bool,
    /// Whether the peer sends.
    pub sends: bool,
    /// With which keys the stream is encrypted; `None` for one that is not.
    pub security: Option<Security>,
}

/// Where our own stream begins, drawn at random (RFC 3550 section 5.1), and which sources of keys are allowed. When its
/// reports go follows from the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Our source.
    pub ssrc: u32,
    /// Our first sequence number; of an encrypted stream at most [`SEQUENCE_FIRST_MAX`].
    pub sequence: u16,
    /// Our first timestamp.
    pub timestamp: u32,
    /// RFC 4733, SIP INFO, in-band tones.
    pub keys_by: KeysBy,
}

/// The sources of keys that the configuration allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysBy {
    /// Telephone events.
    pub events: bool,
    /// SIP INFO.
    pub info: bool,
    /// Tones.
    pub inband: bool,
}

/// What happened in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A key went down.
    Key(Key),
    /// It is up.
    KeyUp,
    /// The last frame of that list has been sent.
    Played(Ticket),
    /// That recording has ended.
    Recorded(Ticket, RawTake),
}

/// The one source of keys that a call has come to use, where no telephone-event was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeySource {
    Undecided,
    Info,
    InBand,
}

/// The session.
pub struct Session {
    agreed: Agreed,
    srtp: Option<Box<Srtp>>,
    start: Start,
    sequence: u16,
    timestamp: u32,
    /// The next packet begins a talkspurt (RFC 3551 section 4.1): the first one, and the first after a hold.
    marker: bool,
    source: Source,
    statistics: Statistics,
    sent: Sent,
    reports: Reports,
    last_heard: Mono,
    /// When anything last showed that the peer is there: RTP, a report on our stream, a request within the call.
    last_sign: Mono,
    consent: Consent,
    samples: Bucket,
    audio_dropped: u32,
    pool: Arc<Pool>,
    detector: Detector,
    inband: Option<Box<InBand>>,
    key_source: KeySource,
    player: Player,
    recording: Option<(Ticket, RecordLimits, Box<Recorder>)>,
    events: VecDeque<Event>,
}

impl Session {
    /// Begins with the answer.
    pub fn new(now: Mono, agreed: Agreed, start: Start) -> Self {
        let mut session = Self {
            srtp: agreed.security.as_ref().map(|security| Box::new(Srtp::new(security))),
            source: Source::new(now, agreed.rtp),
            sequence: start.sequence,
            timestamp: start.timestamp,
            marker: true,
            statistics: Statistics::default(),
            sent: Sent::default(),
            reports: Reports::new(now, u64::from(start.ssrc) << 32 | u64::from(start.timestamp)),
            last_heard: now,
            last_sign: now,
            consent: Consent::default(),
            samples: Bucket::default(),
            audio_dropped: 0,
            pool: Arc::default(),
            detector: Detector::default(),
            inband: None,
            key_source: KeySource::Undecided,
            player: Player::default(),
            recording: None,
            events: VecDeque::new(),
            agreed,
            start,
        };
        session.choose_keys();
        session
    }

    /// Says where SIP comes from: media that goes elsewhere has to be wanted there (see [`crate::media::consent`]).
    pub fn set_peer(&mut self, peer: IpAddr) {
        self.consent.set_peer(peer);
    }

    /// Says with which calls it shares the memory for recordings.
    pub fn set_pool(&mut self, pool: Arc<Pool>) {
        self.pool = pool;
    }

    /// Takes what a new offer and answer agreed (hold, resume, moved media, new keys).
    pub fn renegotiate(&mut self, now: Mono, agreed: Agreed) {
        let before = self.source.address();
        self.take_keys(agreed.security.as_ref());
        self.source.renegotiate(now, agreed.rtp);
        if self.source.address() != before {
            self.consent.begin_anew();
        }
        self.marker |= agreed.receives && !self.agreed.receives;
        (self.last_heard, self.last_sign) = (now, now);
        self.agreed = agreed;
        self.choose_keys();
    }

    /// Takes a datagram from the RTP port; what is not from the call's own source does nothing, and gives `false`.
    pub fn handle_rtp(&mut self, now: Mono, from: SocketAddr, datagram: &[u8]) -> bool {
        if self.source.is_closed_to(now, from) {
            return false;
        }
        let mut plain;
        let datagram = match &mut self.srtp {
            None => Some(datagram),
            Some(srtp) => {
                plain = [0; DATAGRAM_BYTES_MAX];
                srtp.unprotect_rtp(datagram, &mut plain)
            }
        };
        let Some(packet) = datagram.and_then(Packet::parse) else { return false };
        let is_audio = packet.payload_type == self.audio_payload_type();
        let is_event = Some(packet.payload_type) == self.agreed.event_payload_type;
        if !self.source.admits(now, from, &packet, is_audio || is_event) {
            return false;
        }
        (self.last_heard, self.last_sign) = (now, now);
        self.consent.prove();
        if is_audio || is_event {
            self.statistics.handle(now, &packet);
        }
        if is_audio {
            self.handle_audio(now, &packet);
        } else if is_event && self.start.keys_by.events {
            let events = &mut self.events;
            self.detector.handle(now, &packet, |told| note_event(events, told));
        }
        true
    }

    /// Takes a datagram from the RTCP port; only the peer's sender report is of use, and any report on our stream, which
    /// shows that it is heard. Whatever else comes tells nothing, and gives `false`.
    pub fn handle_rtcp(&mut self, now: Mono, from: SocketAddr, datagram: &[u8]) -> bool {
        if from.ip() != self.source.address().ip() {
            return false;
        }
        let mut plain;
        let datagram = match &mut self.srtp {
            None => Some(datagram),
            Some(srtp) => {
                plain = [0; DATAGRAM_BYTES_MAX];
                srtp.unprotect_rtcp(datagram, &mut plain)
            }
        };
        let Some(datagram) = datagram else { return false };
        let sent = rtcp::last_sender_report(datagram);
        let is_of_stream = sent.is_some_and(|(ssrc, ntp)| self.statistics.handle_sender_report(now, ssrc, ntp));
        let is_on_ours = rtcp::reports_on(datagram, self.start.ssrc);
        if is_on_ours {
            self.last_sign = now;
            self.consent.prove();
        }
        is_of_stream || is_on_ours
    }

    /// Notes a request within the call: whoever only listens shows by it that it is still there.
    pub fn handle_request(&mut self, now: Mono) {
        self.last_sign = now;
    }

    /// Takes a key that SIP INFO told; ignored where the call's keys come otherwise.
    pub fn handle_info(&mut self, key: char) {
        if self.agreed.event_payload_type.is_some() && self.start.keys_by.events || !self.start.keys_by.info {
            return;
        }
        if self.key_source == KeySource::InBand {
            return;
        }
        self.key_source = KeySource::Info;
        self.inband = None;
        if let Some(key) = Key::from_char(key) {
            push(&mut self.events, Event::Key(key));
            push(&mut self.events, Event::KeyUp);
        }
    }

    /// Goes on by 20 ms: writes the next packet; its length, and where it goes. `None` while the peer holds the call, or the
    /// packet would go to somebody who does not want it.
    pub fn frame(&mut self, now: Mono, target: &mut [u8; PACKET_BYTES]) -> Option<(usize, SocketAddr)> {
        let events = &mut self.events;
        self.detector.handle_timeout(now, |told| note_event(events, told));
        self.check_recording(now);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        if !self.agreed.receives || !self.consent.is_given(self.source.address().ip()) {
            self.marker = true;
            return None;
        }
        self.consent.count();
        let mut payload = [0; FRAME];
        self.player.frame(self.agreed.law, &mut payload);
        if let Some(ticket) = self.player.poll_played() {
            push(&mut self.events, Event::Played(ticket));
        }
        self.sequence = self.sequence.wrapping_add(1);
        let packet = Packet {
            payload_type: self.audio_payload_type(),
            marker: std::mem::take(&mut self.marker),
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.start.ssrc,
            payload: &payload,
        };
        let length = packet.write(target)?;
        let length = match &mut self.srtp {
            None => length,
            Some(srtp) => srtp.protect_rtp(target, length)?,
        };
        self.sent.packets = self.sent.packets.wrapping_add(1);
        self.sent.bytes = self.sent.bytes.wrapping_add(FRAME as u32);
        Some((length, self.source.address()))
    }

    /// Whether a report is due: 2.5 to 7.5 s after the last one, at random (RFC 3550 section 6.3.1).
    pub fn report_is_due(&self, now: Mono) -> bool {
        self.reports.are_due(now)
    }

    /// Writes an RTCP report, with BYE at the end of the call; its length, and where it goes. `ntp` is the wall clock, 32.32
    /// bits. The length is 0 where nobody there wants it, or the key is used up, after 2^31 reports: nothing is to be sent
    /// then.
    pub fn report(
        &mut self,
        now: Mono,
        ntp: u64,
        bye: bool,
        target: &mut [u8; REPORT_BYTES_MAX],
    ) -> (usize, SocketAddr) {
        self.reports.sent(now);
        let sent = (self.sent.packets > 0).then_some(Sent { ntp, timestamp: self.timestamp, ..self.sent });
        let received = self.statistics.report(now);
        let report = Report { ssrc: self.start.ssrc, sent, received, cname: "switchhook", bye };
        // Behind a NAT the peer's RTCP port is unknown; next to its RTP port is the best guess.
        let to = if self.source.is_moved() {
            let rtp = self.source.address();
            let apart = self.agreed.rtcp.port().saturating_sub(self.agreed.rtp.port());
            SocketAddr::new(rtp.ip(), rtp.port().saturating_add(apart))
        } else {
            self.agreed.rtcp
        };
        if !self.consent.is_given(to.ip()) {
            return (0, to);
        }
        let length = report.write(target);
        let length = match &mut self.srtp {
            None => length,
            Some(srtp) => srtp.protect_rtcp(target, length).unwrap_or(0),
        };
        (length, to)
    }

    /// Plays these instead of whatever is playing.
    pub fn play(&mut self, ticket: Ticket, items: impl IntoIterator<Item = Item>) {
        self.player.play(ticket, items);
    }

    /// Stops playing, at once.
    pub fn stop(&mut self) {
        self.player.stop();
    }

    /// Records from now on.
    pub fn record(&mut self, now: Mono, ticket: Ticket, limits: RecordLimits) {
        self.recording = Some((ticket, limits, Box::new(Recorder::new(now, limits, Arc::clone(&self.pool)))));
    }

    /// Ends the recording because of a key: [`Event::Recorded`] follows.
    pub fn end_recording(&mut self) {
        if let Some((ticket, _, recorder)) = self.recording.take() {
            push(&mut self.events, Event::Recorded(ticket, recorder.finish(true)));
        }
    }

    /// Ends the recording and gives what there is; nothing follows.
    pub fn take_recording(&mut self) -> Option<RawTake> {
        self.recording.take().map(|(_, _, recorder)| recorder.finish(false))
    }

    /// The next thing that happened; where it waited nothing is left of it (it may be a digit of a PIN).
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = take_first(&mut self.events);
        if event.is_none() && self.events.capacity() > 16 {
            self.events = VecDeque::new();
        }
        event
    }

    /// How long nothing has come from a peer that said it would send, or no sign of life from one that said it would only
    /// listen; zero while nothing goes either way.
    pub fn silent_for(&self, now: Mono) -> Duration {
        match (self.agreed.sends, self.agreed.receives) {
            (true, _) => now.since(self.last_heard),
            (false, true) => now.since(self.last_sign),
            (false, false) => Duration::ZERO,
        }
    }

    /// The one address from which RTP can be the call's own now; `None` where it may still be another.
    pub fn only_source(&self) -> Option<SocketAddr> {
        self.source.only()
    }

    /// Packets of audio that were not listened to, as more came than anybody can speak.
    pub fn audio_dropped(&self) -> u32 {
        self.audio_dropped
    }

    /// Whether nobody on the way can listen or forge a key: the stream is encrypted, and so was the way of its keys.
    pub fn is_private(&self) -> bool {
        self.agreed.security.as_ref().is_some_and(|security| security.is_private)
    }

    /// Takes new keys.
    fn take_keys(&mut self, new: Option<&Security>) {
        let (before, old) = (self.srtp.take(), self.agreed.security.as_ref());
        let Some(new) = new else { return };
        let keeps_ours = old.is_some_and(|old| old.ours == new.ours);
        let has_wrapped = before.as_ref().is_some_and(|srtp| srtp.has_wrapped());
        if !keeps_ours && (has_wrapped || self.sequence > SEQUENCE_FIRST_MAX) {
            // Some peers go on with their count of wraps after a new key and some begin again: a new source has none.
            self.start.ssrc = self.start.ssrc.wrapping_add(1);
            self.sequence = sequence_first(self.sequence);
            self.marker = true;
        }
        self.srtp = Some(Box::new(match (before, old) {
            (Some(before), Some(old)) => before.rekeyed(old, new),
            (Some(_) | None, None) | (None, Some(_)) => Srtp::new(new),
        }));
    }

    fn audio_payload_type(&self) -> u8 {
        match self.agreed.law {
            Law::Mu => 0,
            Law::A => 8,
        }
    }

    fn choose_keys(&mut self) {
        let events = self.agreed.event_payload_type.is_some() && self.start.keys_by.events;
        let tones = !events && self.start.keys_by.inband && self.key_source != KeySource::Info;
        match (&self.inband, tones) {
            (None, true) => self.inband = Some(Box::default()),
            (Some(_), false) => self.inband = None,
            (None, false) | (Some(_), true) => {}
        }
    }

    fn handle_audio(&mut self, now: Mono, packet: &Packet<'_>) {
        let count = u32::try_from(packet.payload.len()).unwrap_or(u32::MAX);
        if !self.samples.take(now, SAMPLES, count) {
            self.audio_dropped = self.audio_dropped.saturating_add(1);
            return;
        }
        let law = self.agreed.law;
        if let Some((_, _, recorder)) = &mut self.recording {
            recorder.handle(now, packet.timestamp, law, packet.payload);
        }
        let Some(inband) = &mut self.inband else { return };
        let (events, source) = (&mut self.events, &mut self.key_source);
        inband.handle(packet.payload.iter().map(|code| law.decode(*code)), |tone| match tone {
            Tone::Down(key) => {
                *source = KeySource::InBand;
                if let Some(key) = Key::from_char(key) {
                    push(events, Event::Key(key));
                }
            }
            Tone::Up => push(events, Event::KeyUp),
        });
    }

    fn check_recording(&mut self, now: Mono) {
        let is_over = self.recording.as_ref().is_some_and(|(_, _, recorder)| recorder.is_over(now));
        if is_over && let Some((ticket, _, recorder)) = self.recording.take() {
            push(&mut self.events, Event::Recorded(ticket, recorder.finish(false)));
        }
    }
}

fn note_event(events: &mut VecDeque<Event>, told: Told) {
    match told {
        Told::Down(code) => {
            if let Some(key) = Key::from_event(code) {
                push(events, Event::Key(key));
            }
        }
        Told::Up => push(events, Event::KeyUp),
    }
}

fn push(events: &mut VecDeque<Event>, event: Event) {
    if events.len() >= EVENTS_MAX {
        take_first(events);
    }
    events.push_back(event);
}

/// Takes the first one, and wipes its place: a queue that is taken from keeps the bytes of what was taken.
fn take_first(events: &mut VecDeque<Event>) -> Option<Event> {
    let Some(Event::Key(key)) = events.front_mut() else { return events.pop_front() };
    let pressed = *key;
    key.zeroize();
    events.pop_front();
    Some(Event::Key(pressed))
}

impl Drop for Session {
    fn drop(&mut self) {
        while take_first(&mut self.events).is_some() {}
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
