//! A caller: a phone, and someone who goes through a script with it.

mod caller;
mod listener;

use std::cell::Cell;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use switchhook::model::{Clip, Mono};
use switchhook::wire::g711::Law;
use switchhook::wire::rtp::{HEADER_BYTES, Packet};
use switchhook::wire::sdp;

use super::handset::{Handset, KeyWay, Sent};
use super::random::Random;
use super::script::{Goal, Hold, Person, Script, Step};
use super::signals::{Signals, Told};
use listener::Listener;
pub use listener::digit;

/// How long a caller waits to hear something.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a caller waits for the other one.
const MEETING_MAX: Duration = Duration::from_secs(60);
/// Levels of the menu that a caller goes up at most.
const LEVELS_MAX: u32 = 8;
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

impl Traits {
    /// What this caller is asked first.
    pub fn first_question(&self) -> Clip {
        if self.names_itself { "enter-extension-or-pound" } else { "enter-extension" }
    }
}

/// How often callers have come to a point of which none is to be ahead of the other.
#[derive(Clone, Default)]
pub struct Meeting(Rc<Cell<u32>>);

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
    pub listener: Listener,
    heard_anything: Mono,
    keys_ahead: u32,
    levels: u32,
    /// Where the other caller is waited for, and how often that was.
    pub meeting: Option<Meeting>,
    meetings: u32,
    random: Random,
}

impl Phone {
    pub fn new(number: usize, starts: Mono, traits: Traits, script: Script, random: &mut Random) -> Self {
        let ip = IpAddr::from([192, 0, 2, 10 + number as u8]);
        let sip = SocketAddr::new(ip, 5060);
        let rtp = SocketAddr::new(ip, 4000);
        let named_rtp = if traits.is_behind_nat { SocketAddr::from(([10, 0, 0, 7], 4444)) } else { rtp };
        let person = script.person;
        let user = if traits.names_itself { person.extension } else { "anonymous" };
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
            listener: Listener::default(),
            heard_anything: starts,
            keys_ahead: 0,
            levels: 0,
            meeting: None,
            meetings: 0,
            random: random.fork(),
            traits,
            person,
        }
    }

    /// Logs in, and then presses a key every few seconds for as long as it is let.
    pub fn stays_for_ever(&mut self) {
        let ask = self.traits.first_question();
        let login =
            [Step::Hear(ask), Step::Keys("1000#".into()), Step::Hear("enter-pin"), Step::Keys("61849273#".into())];
        let pressing = (0..400).flat_map(|_| [Step::Wait(5000), Step::Keys("0".into())]);
        self.steps = login.into_iter().chain([Step::Hear("main-menu")]).chain(pressing).collect();
    }

    /// What is still waited for when the call is over.
    pub fn is_left_waiting(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Hear(_) | Step::HearAny(_) | Step::UpTo(_) | Step::Meet))
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
        if let Some(clip) = self.listener.hear(packet.sequence, packet.payload)
            && self.state == State::Up
        {
            self.story.push(format!("hears {clip}"));
            self.listener.heard(clip);
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
        let remote = sdp::read(body, self.traits.laws, sdp::Encryption::Off).expect("an answer that can be read");
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
        let remote = sdp::read(body, self.traits.laws, sdp::Encryption::Off).expect("an answer that can be read");
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
}
