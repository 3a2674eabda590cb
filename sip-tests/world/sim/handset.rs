//! The media of a phone: a packet each 20 ms, keys as events, tones, or not at all (INFO).

use switchhook::wire::dtmf;
use switchhook::wire::g711::{FRAME, Law};
use switchhook::wire::rtp::{HEADER_BYTES, Packet};

use super::random::Random;
use super::voice;

/// How a phone tells its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyWay {
    /// RFC 4733.
    Events,
    /// SIP INFO.
    Info,
    /// Tones in the audio.
    InBand,
}

/// A datagram, and the press that it tells of.
#[derive(Clone)]
pub struct Sent {
    pub bytes: Vec<u8>,
    pub press: Option<usize>,
}

pub struct Handset {
    pub way: KeyWay,
    pub law: Law,
    pub event_type: Option<u8>,
    /// Whether packets go out while nothing is said.
    pub sends_silence: bool,
    /// Whether the three end packets go out together.
    pub ends_at_once: bool,
    /// Whether the voice is heard.
    pub is_talking: bool,
    /// Whether nothing is sent, for the call is held.
    pub is_quiet: bool,
    /// All keys pressed so far.
    pub presses: Vec<char>,
    down: Option<Down>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    frames: usize,
}

/// The key that is down.
struct Down {
    press: usize,
    code: u8,
    timestamp: u32,
    duration: u32,
    first: bool,
    frames_left: u32,
    ends_left: u8,
}

impl Handset {
    pub fn new(way: KeyWay, random: &mut Random) -> Self {
        Self {
            way,
            law: Law::Mu,
            event_type: None,
            sends_silence: random.percent(75),
            ends_at_once: random.percent(40),
            is_talking: false,
            is_quiet: false,
            presses: Vec::new(),
            down: None,
            ssrc: random.next() as u32,
            sequence: random.next() as u16,
            timestamp: random.next() as u32,
            frames: 0,
        }
    }

    /// Presses a key for so many frames.
    pub fn press(&mut self, key: char, frames: u32) {
        let press = self.presses.len();
        self.presses.push(key);
        let code = "0123456789*#".find(key).expect("a key") as u8;
        // A tone is found in 80 ms wherever it begins. Without packets between presses, the end of one of 40 ms whose
        // updates are lost may be the last end of the press before, stamped anew.
        let (least, most) = match (self.way, self.sends_silence) {
            (KeyWay::InBand, _) => (4, voice::TONE_FRAMES_MAX as u32),
            (KeyWay::Events, false) => (3, u32::MAX),
            (KeyWay::Events | KeyWay::Info, _) => (2, u32::MAX),
        };
        let frames_left = frames.clamp(least, most);
        self.down =
            Some(Down { press, code, timestamp: self.timestamp, duration: 0, first: true, frames_left, ends_left: 3 });
    }

    pub fn is_pressing(&self) -> bool {
        self.down.is_some()
    }

    /// Goes on by 20 ms.
    pub fn tick(&mut self, out: &mut Vec<Sent>) {
        match (self.way, self.down.take()) {
            (KeyWay::Events, Some(down)) => self.send_event(down, out),
            (KeyWay::InBand, Some(down)) => self.send_tone(down, out),
            (KeyWay::Info, Some(down)) => {
                self.send_audio(out);
                self.down = Some(Down { frames_left: down.frames_left - 1, ..down }).filter(|d| d.frames_left > 0);
            }
            (_, None) => self.send_audio(out),
        }
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        self.frames += 1;
    }

    /// RFC 4733 section 2.5.1: updates, then the end three times; section 2.5.1.3: a new segment each 0xFFFF.
    fn send_event(&mut self, mut down: Down, out: &mut Vec<Sent>) {
        let marker = std::mem::take(&mut down.first);
        if down.frames_left > 0 {
            down.frames_left -= 1;
            self.lengthen(&mut down);
            self.send_block(&down, marker, false, out);
            self.down = Some(down);
            return;
        }
        if down.ends_left == 3 {
            self.lengthen(&mut down);
        }
        let count = if self.ends_at_once { 3 } else { 1 };
        for _ in 0..count {
            down.ends_left -= 1;
            self.send_block(&down, false, true, out);
        }
        self.down = Some(down).filter(|down| down.ends_left > 0);
    }

    fn lengthen(&self, down: &mut Down) {
        down.duration += FRAME as u32;
        if down.duration > 0xFFFF {
            down.timestamp = down.timestamp.wrapping_add(0xFFFF);
            down.duration -= 0xFFFF;
        }
    }

    fn send_block(&mut self, down: &Down, marker: bool, end: bool, out: &mut Vec<Sent>) {
        let Some(payload_type) = self.event_type else { return };
        let [high, low] = (down.duration as u16).to_be_bytes();
        let payload = [down.code, if end { 0x8A } else { 0x0A }, high, low];
        assert_eq!(dtmf::events(&payload).count(), 1);
        self.send(payload_type, marker, down.timestamp, &payload, Some(down.press), out);
    }

    fn send_tone(&mut self, mut down: Down, out: &mut Vec<Sent>) {
        down.frames_left -= 1;
        let number = (down.duration / FRAME as u32) as usize;
        down.duration += FRAME as u32;
        let payload = voice::tone(self.law, self.presses[down.press], number);
        self.send(self.audio_type(), false, self.timestamp, payload, Some(down.press), out);
        self.down = Some(down).filter(|down| down.frames_left > 0);
    }

    fn send_audio(&mut self, out: &mut Vec<Sent>) {
        let silence = [self.law.silence(); FRAME];
        let payload = if self.is_talking { voice::voice(self.law, self.frames) } else { &silence };
        if !self.is_quiet && (self.is_talking || self.sends_silence) {
            self.send(self.audio_type(), false, self.timestamp, payload, None, out);
        }
    }

    fn audio_type(&self) -> u8 {
        match self.law {
            Law::Mu => 0,
            Law::A => 8,
        }
    }

    fn send(
        &mut self,
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: &[u8],
        press: Option<usize>,
        out: &mut Vec<Sent>,
    ) {
        self.sequence = self.sequence.wrapping_add(1);
        let packet = Packet { payload_type, marker, sequence: self.sequence, timestamp, ssrc: self.ssrc, payload };
        let mut bytes = vec![0; HEADER_BYTES + payload.len()];
        packet.write(&mut bytes).expect("room");
        out.push(Sent { bytes, press });
    }
}
