//! A whole call: RTP, RTCP, INFO, replies, takes, time, renegotiation and hang-up, in any order.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use switchhook::access::{Refusal, Reply};
use switchhook::call::{Call, CallLimits, Output};
use switchhook::media::prompts::Prompts;
use switchhook::media::recorder::RecordLimits;
use switchhook::media::session::{Agreed, PACKET_BYTES};
use switchhook::menu::{CallerInfo, Limits, SiteName};
use switchhook::model::{Audio, Extension, Key, Language, Mono, Take, Ticket, Verdict};
use switchhook::wire::g711::{FRAME, Law};
use switchhook::wire::rtcp::REPORT_BYTES_MAX;
use switchhook::wire::rtp::Packet;

use super::bytes::Bytes;
use super::replies::reply;
use super::rtp::{EVENT, START, Sender, address, agreed};

/// Things done in one run; what is beyond is not looked at.
const STEPS_MAX: usize = 400;
/// Things that a call may want at a time.
const OUTPUTS_MAX: usize = 64;
/// From one frame to the next.
const TICK: Duration = Duration::from_millis(20);

static PROMPTS: LazyLock<Arc<Prompts>> = LazyLock::new(|| {
    let mut prompts = Prompts::new(Language::English);
    for (language, clip) in
        [(Language::English, "welcome"), (Language::English, "enter-extension"), (Language::German, "welcome")]
    {
        prompts.add(language, clip, (0..800).map(|n| if n % 16 < 8 { 6000 } else { -6000 }).collect());
    }
    Arc::new(prompts)
});

static LIMITS: LazyLock<Arc<CallLimits>> = LazyLock::new(|| {
    let record = RecordLimits { silence: Duration::from_secs(4), length: Duration::from_secs(20) };
    Arc::new(CallLimits { menu: Limits::default(), record, rtp_silence: Duration::from_secs(60) })
});

/// The input says what happens, one thing after the other.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mut world = World::new(&mut bytes);
    for _ in 0..STEPS_MAX {
        if bytes.is_empty() {
            break;
        }
        world.step(&mut bytes);
        world.drain();
    }
    world.end();
}

struct World {
    call: Call,
    now: Mono,
    sender: Sender,
    agreed: Agreed,
    asked: Vec<Ticket>,
    finishing: Vec<Option<Ticket>>,
    hang_ups: usize,
    keys: u32,
    /// Sequence number and timestamp of our last packet, and the frames since.
    sent: Option<(u16, u32)>,
    frames: u32,
}

impl World {
    fn new(bytes: &mut Bytes<'_>) -> Self {
        let agreed = agreed(bytes.flag().then_some(EVENT));
        let caller = CallerInfo {
            extension: if bytes.flag() { Extension::parse("1004") } else { None },
            site: bytes.flag().then_some(SiteName { spoken: None, number: 2 }),
            language: bytes.pick(&Language::ALL),
            languages: PROMPTS.languages(),
        };
        let call = Call::new(Mono(0), agreed.clone(), START, caller, Arc::clone(&PROMPTS), Arc::clone(&LIMITS));
        Self {
            call,
            now: Mono(0),
            sender: Sender::default(),
            agreed,
            asked: Vec::new(),
            finishing: Vec::new(),
            hang_ups: 0,
            keys: 0,
            sent: None,
            frames: 0,
        }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.below(16) {
            0 | 1 => self.frames(1 + bytes.below(64)),
            2 => {
                self.now = self.now + Duration::from_millis(bytes.number(2));
                self.frame();
            }
            3 => {
                let (from, datagram) = self.sender.datagram(bytes);
                self.call.handle_rtp(self.now, from, &datagram);
            }
            4 => self.press(bytes.byte()),
            5 | 6 => bytes.piece().iter().take(20).for_each(|key| self.press(*key)),
            7 => {
                self.call.handle_rtcp(self.now, address(bytes.below(3)), bytes.piece());
            }
            8 | 9 => self.reply(bytes),
            10 => self.take(bytes),
            11 => self.renegotiate(bytes),
            12 => self.call.handle_confirmed(self.now),
            13 => self.report(bytes.flag()),
            14 => self.log_in(bytes),
            _ => {
                if bytes.byte() == 0xFF {
                    self.call.handle_hung_up(self.now);
                }
            }
        }
    }

    fn press(&mut self, key: u8) {
        self.call.handle_info(self.now, Key::ALL[usize::from(key) % Key::ALL.len()].to_char());
        self.drain();
        self.frame();
    }

    /// The way to where most of the menu is.
    fn log_in(&mut self, bytes: &mut Bytes<'_>) {
        self.call.handle_confirmed(self.now);
        for key in "1000#904826#".bytes() {
            self.press(if key == b'#' { 11 } else { key - b'0' });
        }
        self.drain();
        self.reply(bytes);
    }

    fn reply(&mut self, bytes: &mut Bytes<'_>) {
        let ticket = if bytes.below(8) == 0 { None } else { self.asked.pop() };
        let ticket = ticket.unwrap_or(Ticket(u32::from(bytes.byte())));
        self.call.handle_reply(self.now, ticket, reply(bytes));
    }

    fn take(&mut self, bytes: &mut Bytes<'_>) {
        let ticket = self.finishing.pop().unwrap_or(Some(Ticket(u32::from(bytes.byte()))));
        let verdicts = [None, None, Some(Verdict::TooShort), Some(Verdict::Silent), Some(Verdict::Clipped)];
        let audio = Audio(vec![500; bytes.below(256) * 16].into());
        self.call.handle_take(self.now, ticket, Take { audio, verdict: bytes.pick(&verdicts) });
    }

    fn renegotiate(&mut self, bytes: &mut Bytes<'_>) {
        let rtp = address(bytes.below(3));
        let rtcp = SocketAddr::new(rtp.ip(), bytes.pick(&[0, 4001, 65_535]));
        let (law, event_payload_type) = (bytes.pick(&[Law::Mu, Law::A]), bytes.pick(&[None, Some(EVENT), Some(0)]));
        let (receives, sends) = (bytes.below(4) > 0, bytes.below(4) > 0);
        self.agreed = Agreed { rtp, rtcp, law, event_payload_type, receives, sends, security: None };
        self.call.handle_renegotiated(self.now, self.agreed.clone());
    }

    fn report(&mut self, bye: bool) {
        let mut report = [0; REPORT_BYTES_MAX];
        let (length, _) = self.call.report(self.now, 1 << 40, bye, &mut report);
        assert!(length <= REPORT_BYTES_MAX && length % 4 == 0, "{length}");
    }

    fn frames(&mut self, count: usize) {
        for _ in 0..count {
            self.now = self.now + TICK;
            self.frame();
            self.drain();
        }
    }

    /// Our packets follow each other without a break, to an address that was named or that packets came from.
    fn frame(&mut self) {
        let mut packet = [0; PACKET_BYTES];
        let to = self.call.frame(self.now, &mut packet);
        self.frames += 1;
        let Some((length, to)) = to else { return };
        assert!((0..3).any(|number| address(number) == to), "{to}");
        assert!(self.agreed.receives, "the caller holds the call");
        assert_eq!(self.hang_ups, 0, "a packet after the end");
        let Some(packet) = Packet::parse(&packet[..length]) else { panic!("no RTP") };
        assert_eq!((packet.ssrc, packet.payload.len()), (START.ssrc, FRAME));
        if let Some((sequence, timestamp)) = self.sent {
            assert_eq!(packet.sequence, sequence.wrapping_add(1));
            assert_eq!(packet.timestamp, timestamp.wrapping_add(self.frames * FRAME as u32));
        }
        self.sent = Some((packet.sequence, packet.timestamp));
        self.frames = 0;
        self.drain();
    }

    fn drain(&mut self) {
        for count in 0.. {
            assert!(count < OUTPUTS_MAX, "the call wants ever more");
            match self.call.poll_output() {
                Some(Output::Ask(ticket, ..)) => self.asked.push(ticket),
                Some(Output::Finish(ticket, take)) => {
                    // A packet may be longer than a frame, and ends within the length.
                    assert!(take.duration() <= LIMITS.record.length, "{take:?}");
                    self.finishing.push(ticket);
                }
                Some(Output::HangUp) => self.hang_ups += 1,
                None => break,
            }
        }
        assert!(self.hang_ups <= 1, "hung up twice");
        assert!(self.call.keys_heard() >= self.keys);
        self.keys = self.call.keys_heard();
        assert!(!self.call.place().is_empty());
    }

    /// Once the caller is gone and all that was asked is answered, nothing is left of the call.
    fn end(mut self) {
        self.call.handle_hung_up(self.now);
        self.drain();
        for _ in 0..4 {
            for ticket in std::mem::take(&mut self.finishing) {
                let take = Take { audio: Audio(vec![500; 800].into()), verdict: None };
                self.call.handle_take(self.now, ticket, take);
                self.drain();
            }
            for ticket in std::mem::take(&mut self.asked) {
                self.call.handle_reply(self.now, ticket, Reply::Refused(Refusal::TryLater));
                self.drain();
            }
        }
        assert!(self.call.is_over(), "the call does not end: {}", self.call.place());
        self.press(1);
        assert_eq!((self.call.keys_heard(), self.call.poll_output()), (self.keys, None), "something after the end");
    }
}
