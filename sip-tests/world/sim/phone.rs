//! A caller: a phone, and someone who goes through a script with it.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use switchhook::model::{Clip, Mono};
use switchhook::wire::g711::Law;
use switchhook::wire::rtp::{HEADER_BYTES, Packet};
use switchhook::wire::sdp;

use super::ear::Ear;
use super::handset::{Handset, KeyWay, Sent};
use super::random::Random;
use super::script::{Goal, Hold, Person, Script, Step};
use super::signals::{Signals, Told};

/// How long a caller waits to hear something.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a caller stays who hears nothing at all.
const DEAD_LINE: Duration = Duration::from_secs(75);
/// Keys that a caller presses without hearing anything new.
const KEYS_AHEAD_MAX: u32 = 16;

/// How far the call is, for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Idle,
    Calling,
    Up,
    /// Hung up, hung up on, refused or without an answer.
    Over,
}

/// How a phone is built and a caller minded.
#[derive(Clone, Debug)]
pub struct Traits {
    pub way: KeyWay,
    pub laws: &'static [Law],
    /// The payload type of telephone-event in what it describes.
    pub event_type: Option<u8>,
    /// Whether its INVITE has an offer.
    pub offers: bool,
    /// Whether it acknowledges the answer.
    pub acknowledges: bool,
    pub is_behind_nat: bool,
    pub names_itself: bool,
    pub dials: &'static str,
    pub is_reliable: bool,
    /// CANCEL so long after the INVITE.
    pub cancels_after: Option<Duration>,
    /// The line is cut so long after the start; without a word or not.
    pub cut_after: Option<(Duration, bool)>,
    /// Whether the caller waits for what is said; else all is typed ahead.
    pub is_patient: bool,
}

pub struct Phone {
    pub traits: Traits,
    pub person: Person,
    pub state: State,
    pub signals: Signals,
    pub handset: Handset,
    pub goals: Vec<Goal>,
    /// The script was gone through, and all was heard that was waited for.
    pub is_satisfied: bool,
    /// What was waited for in vain.
    pub missed: Option<Clip>,
    /// Gone without a word: nothing is sent or heard any more.
    pub has_vanished: bool,
    /// The keys told by INFO: each transaction's branch and press.
    pub infos: Vec<(String, usize)>,
    /// Where RTP comes from.
    pub rtp: SocketAddr,
    /// Where RTP goes.
    pub remote: Option<SocketAddr>,
    pub story: Vec<String>,
    named_rtp: SocketAddr,
    starts: Mono,
    up_since: Option<Mono>,
    steps: VecDeque<Step>,
    /// The step in hand ends, or is given up, then.
    step_ends: Option<Mono>,
    keys: VecDeque<char>,
    next_key: Mono,
    hold: Option<(Hold, bool)>,
    is_held: bool,
    /// A re-INVITE waits for its answer.
    is_reoffering: bool,
    info_waiting: VecDeque<usize>,
    ear: Ear,
    heard: Vec<Clip>,
    heard_anything: Mono,
    keys_ahead: u32,
    random: Random,
}

impl Phone {
    pub fn new(number: usize, starts: Mono, traits: Traits, person: Person, random: &mut Random) -> Self {
        let ip = IpAddr::from([192, 0, 2, 10 + number as u8]);
        let sip = SocketAddr::new(ip, 5060);
        let rtp = SocketAddr::new(ip, 4000);
        let named_rtp = if traits.is_behind_nat { SocketAddr::from(([10, 0, 0, 7], 4444)) } else { rtp };
        let user = if traits.names_itself { person.extension } else { "anonymous" };
        let ask = if traits.names_itself { "enter-extension-or-pound" } else { "enter-extension" };
        let script = Script::draw(random, person, ask);
        Self {
            state: State::Idle,
            signals: Signals::new(sip, user, traits.dials, traits.is_reliable, random.fork()),
            handset: Handset::new(traits.way, random),
            goals: script.goals,
            is_satisfied: false,
            missed: None,
            has_vanished: false,
            infos: Vec::new(),
            rtp,
            remote: None,
            story: Vec::new(),
            named_rtp,
            starts,
            up_since: None,
            steps: script.steps.into(),
            step_ends: None,
            keys: VecDeque::new(),
            next_key: Mono(0),
            hold: None,
            is_held: false,
            is_reoffering: false,
            info_waiting: VecDeque::new(),
            ear: Ear::default(),
            heard: Vec::new(),
            heard_anything: starts,
            keys_ahead: 0,
            random: random.fork(),
            traits,
            person,
        }
    }

    /// Logs in, and then presses a key every few seconds for as long as it is let.
    pub fn stays_for_ever(&mut self) {
        let ask = if self.traits.names_itself { "enter-extension-or-pound" } else { "enter-extension" };
        let login =
            [Step::Hear(ask), Step::Keys("1000#".into()), Step::Hear("enter-pin"), Step::Keys("61849273#".into())];
        let pressing = (0..400).flat_map(|_| [Step::Wait(5000), Step::Keys("0".into())]);
        self.steps = login.into_iter().chain([Step::Hear("main-menu")]).chain(pressing).collect();
    }

    /// Whether it has nothing more to do by itself.
    pub fn is_done(&self) -> bool {
        self.has_vanished || self.state == State::Over && !self.signals.is_busy()
    }

    /// Goes on; to be called every 20 ms while the call is up.
    pub fn tick(&mut self, now: Mono, out: &mut Vec<Sent>) {
        if self.has_vanished {
            return;
        }
        if self.state == State::Idle && now >= self.starts {
            self.state = State::Calling;
            let offer = self.traits.offers.then(|| self.describe("sendrecv"));
            self.signals.request(now, "INVITE", offer.as_deref().map(|sdp| ("application/sdp", sdp)));
        }
        self.signals.handle_timeout(now);
        self.take_told(now);
        if let Some(after) = self.traits.cancels_after
            && now >= self.starts + after
        {
            self.traits.cancels_after = None;
            self.story.push("cancels".into());
            self.signals.cancel(now);
            self.steps = [Step::HangUp].into();
            self.step_ends = None;
        }
        if let Some((after, without_a_word)) = self.traits.cut_after
            && now >= self.starts + after
        {
            self.traits.cut_after = None;
            self.goals.clear();
            self.keys.clear();
            self.step_ends = None;
            self.steps = [if without_a_word { Step::Vanish } else { Step::HangUp }].into();
        }
        if self.state == State::Up {
            self.live(now);
            if self.state == State::Up && !self.has_vanished && self.remote.is_some() {
                self.handset.tick(out);
            }
        }
    }

    /// A datagram to where this phone's RTP comes from.
    pub fn hear(&mut self, now: Mono, datagram: &[u8]) {
        self.heard_anything = now;
        let packet = Packet::parse(datagram).expect("what is sent to a phone is RTP");
        assert_eq!(datagram.len(), packet.payload.len() + HEADER_BYTES);
        if let Some(clip) = self.ear.hear(packet.sequence, packet.payload)
            && self.state == State::Up
        {
            self.story.push(format!("hears {clip}"));
            self.heard.push(clip);
            self.keys_ahead = 0;
        }
    }

    /// What came by SIP.
    pub fn handle_sip(&mut self, now: Mono, bytes: &[u8]) {
        if !self.has_vanished {
            self.signals.handle(bytes);
            self.take_told(now);
        }
    }

    fn take_told(&mut self, now: Mono) {
        for told in std::mem::take(&mut self.signals.told) {
            match told {
                Told::Accepted { again: false, sdp } => self.answered(now, &sdp),
                Told::Accepted { again: true, sdp } => self.reoffer_answered(&sdp),
                Told::Answered { method, code } => self.refused_or_done(method, code),
                Told::TimedOut { method } => {
                    self.story.push(format!("has no answer to {method}"));
                    // Within a call that ends it (RFC 3261 section 12.2.1.2); a CANCEL is nothing that ends.
                    if method != "CANCEL" {
                        self.state = State::Over;
                    }
                }
                Told::Bye => {
                    if self.state != State::Over {
                        self.story.push("is hung up on".into());
                    }
                    self.is_satisfied |= matches!(self.steps.front(), Some(Step::Stay)) && self.missed.is_none();
                    self.state = State::Over;
                }
            }
        }
    }

    fn answered(&mut self, now: Mono, body: &[u8]) {
        if !self.traits.acknowledges {
            self.has_vanished = true;
            return;
        }
        let remote = sdp::read(body, self.traits.laws).expect("an answer that can be read");
        self.handset.law = remote.law;
        self.handset.event_type = remote.event_payload_type;
        self.remote = Some(remote.rtp);
        if self.traits.offers {
            assert_eq!(remote.event_payload_type, self.traits.event_type, "the answer keeps the payload type");
            self.signals.acknowledge(None);
        } else {
            self.handset.event_type = self.traits.event_type.and(remote.event_payload_type);
            self.traits.event_type = self.handset.event_type;
            self.traits.laws = if remote.law == Law::Mu { &[Law::Mu] } else { &[Law::A] };
            let answer = self.describe("sendrecv");
            self.signals.acknowledge(Some(&answer));
        }
        self.story.push("is answered".into());
        if self.state == State::Over {
            // Given up meanwhile: what is answered is ended.
            self.signals.request(now, "BYE", None);
            return;
        }
        self.state = State::Up;
        self.up_since = Some(now);
        self.next_key = now + Duration::from_millis(self.random.below(800));
    }

    fn reoffer_answered(&mut self, body: &[u8]) {
        self.is_reoffering = false;
        let Some((hold, begins)) = self.hold else { return self.signals.acknowledge(None) };
        let late = hold == Hold::LateOffer;
        let remote = sdp::read(body, self.traits.laws).expect("an answer that can be read");
        assert_eq!(Some(remote.rtp), self.remote, "the media stays where it is");
        let direction = self.direction(hold, begins);
        let answer = late.then(|| self.describe(direction));
        self.signals.acknowledge(answer.as_deref());
        self.is_held = begins;
        self.handset.is_quiet = begins && hold == Hold::Inactive;
        self.story.push(if begins { "holds".into() } else { "is back".into() });
    }

    fn refused_or_done(&mut self, method: &'static str, code: u16) {
        let fine: &[u16] = match method {
            "INVITE" if self.is_reoffering => &[481, 487, 491, 500],
            "INVITE" if self.traits.dials != "7000" => &[404],
            "INVITE" => &[487],
            // The call may have been ended from the other side.
            _ => &[200, 481],
        };
        assert!(fine.contains(&code), "{method} was answered with {code}");
        match method {
            "INVITE" if self.is_reoffering => {
                self.is_reoffering = false;
                self.story.push(format!("may not hold: {code}"));
                if code == 481 {
                    self.state = State::Over;
                }
            }
            "INVITE" => self.state = State::Over,
            _ => {}
        }
    }

    fn direction(&self, hold: Hold, begins: bool) -> &'static str {
        match hold {
            _ if !begins => "sendrecv",
            Hold::Inactive => "inactive",
            Hold::SendOnly | Hold::LateOffer => "sendonly",
        }
    }

    /// The phone's session description.
    fn describe(&self, direction: &str) -> String {
        let law_types = self.traits.laws.iter().map(|law| match law {
            Law::Mu => "0".to_owned(),
            Law::A => "8".to_owned(),
        });
        let formats: Vec<String> = law_types.chain(self.traits.event_type.map(|t| t.to_string())).collect();
        let map = self.traits.event_type.map(|t| format!("a=rtpmap:{t} telephone-event/8000\r\na=fmtp:{t} 0-15\r\n"));
        let (ip, port) = (self.named_rtp.ip(), self.named_rtp.port());
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP {}\r\n{}a={direction}\r\n",
            formats.join(" "),
            map.unwrap_or_default(),
        )
    }

    /// What the caller does in these 20 ms.
    fn live(&mut self, now: Mono) {
        let since = self.heard_anything.max(self.up_since.unwrap_or(now));
        if now.since(since) >= DEAD_LINE {
            self.keys.clear();
            self.step_ends = None;
            self.steps = [Step::HangUp].into();
        }
        self.send_infos(now);
        if self.is_reoffering || self.handset.is_pressing() {
            return;
        }
        if !self.keys.is_empty() {
            if now >= self.next_key && self.keys_ahead < KEYS_AHEAD_MAX {
                self.keys_ahead += 1;
                self.press_next(now);
            }
            return;
        }
        while let Some(step) = self.steps.front().cloned() {
            let begins = self.step_ends.is_none();
            if !self.go_through(now, &step, begins) {
                return;
            }
            self.steps.pop_front();
            self.step_ends = None;
            self.is_satisfied = self.steps.is_empty() && self.missed.is_none();
            if self.is_reoffering || !self.keys.is_empty() || self.handset.is_pressing() || self.state != State::Up {
                return;
            }
        }
    }

    /// Whether the step is done.
    fn go_through(&mut self, now: Mono, step: &Step, begins: bool) -> bool {
        let ends = *self.step_ends.get_or_insert(now + step.duration());
        match step {
            Step::Hear(clip) => {
                if let Some(at) = self.heard.iter().position(|heard| heard == clip) {
                    self.heard.drain(..=at);
                    self.next_key = now + Duration::from_millis(self.random.below(400));
                    return true;
                }
                if !self.traits.is_patient && *clip != "beep" && *clip != "review-menu" {
                    return true;
                }
                if now >= ends {
                    self.missed.get_or_insert(clip);
                    self.story.push(format!("does not hear {clip}"));
                }
                now >= ends
            }
            Step::Keys(keys) => {
                self.heard.clear();
                self.story.push(format!("keys {keys}"));
                self.keys = keys.chars().collect();
                true
            }
            Step::Press(..) if now < self.next_key => false,
            Step::Press(key, ms) => {
                self.heard.clear();
                self.story.push(format!("holds {key} for {ms} ms"));
                self.press(now, *key, (ms / 20) as u32);
                true
            }
            Step::Wait(_) => now >= ends,
            Step::Talk(_) => {
                self.handset.is_talking = now < ends;
                now >= ends
            }
            Step::Hold(..) if self.signals.is_busy() => {
                // What is sent later must not overtake an INFO: it would be refused by its number.
                if begins {
                    self.step_ends = None;
                }
                false
            }
            Step::Hold(hold, _) => {
                if begins {
                    self.reoffer(now, *hold, true);
                    return false;
                }
                if now >= ends && self.is_held {
                    self.reoffer(now, *hold, false);
                }
                now >= ends
            }
            Step::HangUp => {
                self.story.push("hangs up".into());
                self.state = State::Over;
                self.signals.request(now, "BYE", None);
                true
            }
            Step::Vanish => {
                self.story.push("is gone".into());
                self.has_vanished = true;
                true
            }
            Step::Stay => false,
        }
    }

    fn reoffer(&mut self, now: Mono, hold: Hold, begins: bool) {
        self.hold = Some((hold, begins));
        self.is_reoffering = true;
        let offer = (hold != Hold::LateOffer).then(|| self.describe(self.direction(hold, begins)));
        self.signals.request(now, "INVITE", offer.as_deref().map(|sdp| ("application/sdp", sdp)));
    }

    fn press_next(&mut self, now: Mono) {
        let Some(key) = self.keys.pop_front() else { return };
        let frames = self.random.between(2, 14) as u32;
        self.press(now, key, frames);
    }

    fn press(&mut self, now: Mono, key: char, frames: u32) {
        let pause = self.random.between(60, if self.traits.is_patient { 300 } else { 140 });
        self.next_key = now + Duration::from_millis(u64::from(frames) * 20 + 60 + pause);
        self.handset.press(key, frames);
        if self.traits.way == KeyWay::Info {
            self.info_waiting.push_back(self.handset.presses.len() - 1);
        }
    }

    /// One INFO at a time.
    fn send_infos(&mut self, now: Mono) {
        if self.signals.is_busy() {
            return;
        }
        let Some(press) = self.info_waiting.pop_front() else { return };
        let key = self.handset.presses[press];
        let relay = self.random.percent(50);
        let body = if relay { format!("Signal={key}\r\nDuration=160\r\n") } else { key.to_string() };
        let kind = if relay { "application/dtmf-relay" } else { "application/dtmf" };
        let branch = self.signals.request(now, "INFO", Some((kind, &body)));
        self.infos.push((branch, press));
    }
}

impl Step {
    fn duration(&self) -> Duration {
        match self {
            Step::Hear(_) => PATIENCE,
            Step::Wait(ms) | Step::Talk(ms) | Step::Hold(_, ms) => Duration::from_millis(*ms),
            Step::Keys(_) | Step::Press(..) | Step::HangUp | Step::Vanish | Step::Stay => Duration::ZERO,
        }
    }
}
