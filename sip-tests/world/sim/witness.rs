//! What must always hold of one call, checked after each thing that happens to it. The witness knows what the link
//! delivered, what the store said and what was sent to the caller; it knows nothing of the machines.

mod asks;
mod speech;

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use switchhook::access::{Action, Destructive, Permission, Permissions, Refusal, Reply};
use switchhook::call::{CallLimits, Output};
use switchhook::media::session::Agreed;
use switchhook::model::{AccountId, Audio, Extension, Mono, RecordingNumber, Take, Ticket};
use switchhook::wire::g711::Law;
use switchhook::wire::rtp::Packet;

use super::handset::KeyWay;
use asks::Known;
use speech::Speech;

/// A caller waits for the store no longer than this.
pub const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Packets of ours to where SIP does not come from, without one from there: before the first, and after any.
const UNWANTED_MAX: [u32; 2] = [250, 1500];
/// One frame of ours.
const FRAME: Duration = Duration::from_millis(20);
/// Goodbyes and takes that are waited for at the very end of the longest call.
const CLOSING_MAX: Duration = Duration::from_secs(26);
/// Packets of a tone in which it is found: 80 ms.
const TONE_PACKETS: usize = 4;
const REVIEWING: [&str; 2] = ["review-menu", "record"];
const CLOSED: [&str; 2] = ["goodbye", "over"];
/// Where takes are begun that become drafts.
const SYSTEM_RECORDING: &str = "recording-menu";

/// A datagram as the link delivered it.
#[derive(Clone)]
pub struct Datagram {
    pub at: Mono,
    pub from: SocketAddr,
    pub bytes: Vec<u8>,
    /// The press that it tells of.
    pub press: Option<(usize, char)>,
}

/// Whether packets from another address than the signalled one are let in: four in sequence, within 5 s.
struct Latch {
    closes: Mono,
    next: u16,
    count: u8,
    is_open: bool,
}

/// Something that the store was asked.
struct Asked {
    action: Action,
    at: Mono,
    /// The caller goes on without the reply.
    is_given_up: bool,
}

/// Who is logged in, as the store said.
struct LoggedIn {
    id: AccountId,
    granted: Permissions,
    pin_resets: i64,
    must_change_pin: bool,
    /// Permissions of which the caller was told that they are gone.
    gone: Permissions,
}

pub struct Witness {
    way: KeyWay,
    caller: Option<Extension>,
    call_max: Duration,
    rtp_silence: Duration,
    agreed: Agreed,
    latch: Latch,
    /// Where SIP comes from.
    peer: IpAddr,
    /// Packets of ours since the last one that was let in, and whether there was one.
    unheard: (u32, bool),
    last_heard: Mono,
    talking_since: Option<Mono>,
    is_over: bool,
    /// The last packet of ours: when, sequence, timestamp, SSRC.
    last_sent: Option<(Mono, u16, u32, u32)>,
    may_mark: bool,
    /// The keys that a packet has told of, in the order of the first ones.
    pub keys: String,
    counted: BTreeSet<usize>,
    /// How many of them the dialogue has got.
    heard: usize,
    /// How many packets have told of each.
    told: HashMap<usize, usize>,
    logged_in: Option<LoggedIn>,
    asked: HashMap<Ticket, Asked>,
    known: Known,
    speech: Speech,
    /// Whether what is recorded becomes a draft: a system recording does, a greeting or a name does not.
    has_drafts: bool,
    /// A system recording was opened by the reply that is being taken.
    is_opening: bool,
    /// Where the call is.
    place: &'static str,
    opened: Option<RecordingNumber>,
    /// What is in review, and whether the store has it as a draft.
    in_hand: Option<(Audio, bool)>,
    pub packets: u64,
}

impl Witness {
    pub fn new(
        now: Mono,
        way: KeyWay,
        (caller, peer): (Option<Extension>, IpAddr),
        limits: &CallLimits,
        agreed: Agreed,
    ) -> Self {
        let latch = Latch { closes: now + Duration::from_secs(5), next: 0, count: 0, is_open: false };
        Self {
            way,
            caller,
            call_max: limits.menu.call_max,
            rtp_silence: limits.rtp_silence,
            agreed,
            latch,
            peer,
            unheard: (0, false),
            last_heard: now,
            talking_since: None,
            is_over: false,
            last_sent: None,
            may_mark: true,
            keys: String::new(),
            counted: BTreeSet::new(),
            heard: 0,
            told: HashMap::new(),
            logged_in: None,
            asked: HashMap::new(),
            known: Known::default(),
            speech: Speech::default(),
            has_drafts: false,
            is_opening: false,
            place: "ringing",
            opened: None,
            in_hand: None,
            packets: 0,
        }
    }

    pub fn confirmed(&mut self, now: Mono) {
        self.talking_since.get_or_insert(now);
    }

    pub fn renegotiated(&mut self, now: Mono, agreed: Agreed) {
        self.may_mark |= agreed.receives && !self.agreed.receives;
        self.agreed = agreed;
        self.last_heard = now;
    }

    /// A datagram is about to be taken by the call.
    pub fn reads(&mut self, now: Mono, datagram: &Datagram) {
        if self.is_over || !self.lets_in(now, datagram) {
            return;
        }
        self.last_heard = now;
        self.unheard = (0, true);
        if let Some((press, key)) = datagram.press {
            self.press(press, key);
            *self.told.entry(press).or_default() += 1;
        }
    }

    /// A packet or an INFO that tells of a press has come.
    pub fn press(&mut self, press: usize, key: char) {
        if !self.is_over && self.counted.insert(press) {
            self.keys.push(key);
            let waits = self.is_waiting();
            self.speech.key(waits);
        }
    }

    fn lets_in(&mut self, now: Mono, datagram: &Datagram) -> bool {
        if datagram.from == self.agreed.rtp || self.latch.is_open {
            return true;
        }
        let sequence = Packet::parse(&datagram.bytes).expect("a phone sends RTP").sequence;
        self.latch.count =
            if sequence == self.latch.next && self.latch.count > 0 { self.latch.count.saturating_add(1) } else { 1 };
        self.latch.next = sequence.wrapping_add(1);
        self.latch.is_open = self.latch.count >= 4 && now <= self.latch.closes;
        self.latch.is_open
    }

    /// The call has sent this, or nothing, in its 20 ms.
    pub fn sent(&mut self, now: Mono, packet: Option<(&[u8], SocketAddr)>) {
        let talks = self.talking_since.is_some() && !self.is_over;
        let Some((bytes, to)) = packet else {
            self.speech.nothing_is_sent();
            let is_unwanted = !self.latch.is_open && self.is_unwanted(self.agreed.rtp.ip());
            self.may_mark |= talks && is_unwanted;
            return assert!(!talks || !self.agreed.receives || is_unwanted, "a gap in what the caller hears");
        };
        assert!(talks, "RTP is sent while nobody is there to hear it");
        assert!(self.agreed.receives, "RTP is sent to a caller who holds the call");
        assert!(!self.is_unwanted(to.ip()), "RTP goes on to {to}, from where nothing comes");
        self.unheard.0 += 1;
        if to != self.agreed.rtp {
            assert!(self.latch.is_open, "RTP goes to {to}, which nobody has named");
        }
        let packet = Packet::parse(bytes).expect("RTP");
        assert_eq!(packet.payload_type, if self.agreed.law == Law::Mu { 0 } else { 8 });
        assert_eq!(packet.marker, std::mem::take(&mut self.may_mark), "the marker begins a stretch of speech");
        if let Some((at, sequence, timestamp, ssrc)) = self.last_sent {
            let frames = now.since(at).as_micros() / FRAME.as_micros();
            assert_eq!(now.since(at).as_micros() % FRAME.as_micros(), 0, "the 20 ms clock was broken");
            assert!(frames == 1 || packet.marker, "a gap of {frames} frames");
            assert_eq!(packet.sequence, sequence.wrapping_add(1), "the sequence numbers have a gap");
            assert_eq!(packet.timestamp, timestamp.wrapping_add(frames as u32 * 160), "the timestamps have a gap");
            assert_eq!(packet.ssrc, ssrc);
        }
        self.last_sent = Some((now, packet.sequence, packet.timestamp, packet.ssrc));
        self.speech.sent(packet.sequence, packet.payload);
        self.packets += 1;
    }

    /// Whether whoever is there has not shown that it wants to hear us.
    fn is_unwanted(&self, to: IpAddr) -> bool {
        let (packets, was_heard) = self.unheard;
        to != self.peer && packets >= UNWANTED_MAX[usize::from(was_heard)]
    }

    /// A report is sent there, or kept from whoever does not want it.
    pub fn reports(&self, is_sent: bool, to: IpAddr) {
        assert_eq!(is_sent, !self.is_unwanted(to), "a report to {to}");
    }

    /// A frame is over: no call outlives its limits.
    pub fn ticked(&self, now: Mono) {
        if self.is_over {
            return;
        }
        if let Some(since) = self.talking_since {
            assert!(now.since(since) <= self.call_max + CLOSING_MAX, "the call is too long");
            let silent = now.since(self.last_heard);
            assert!(!self.agreed.sends || silent < self.rtp_silence, "no RTP for {silent:?} and not hung up");
        }
    }

    /// Exactly the presses that were told by a packet have become keys.
    pub fn counts(&mut self, keys: u32) {
        let (keys, told) = (keys as usize, self.keys.chars().count());
        if keys > std::mem::replace(&mut self.heard, keys) {
            self.speech.stops();
        }
        match self.way {
            KeyWay::Events | KeyWay::Info => assert_eq!(keys, told, "keys that the dialogue got, of those pressed"),
            KeyWay::InBand => {
                assert!(keys <= told, "{keys} keys of {told} presses");
                let long = self.told.values().filter(|packets| **packets >= TONE_PACKETS).count();
                assert!(keys >= long, "{keys} keys of {long} tones that were long enough");
            }
        }
    }

    /// When something was asked.
    pub fn asked_at(&self, ticket: Ticket) -> Option<Mono> {
        self.asked.get(&ticket).map(|asked| asked.at)
    }

    /// The call is about to look at its timers: it gives up what it has waited for too long.
    pub fn waits_no_longer(&mut self, now: Mono) {
        for asked in self.asked.values_mut().filter(|asked| !self.is_over && !asked.is_given_up) {
            asked.is_given_up = asked.at + ANSWER_MAX <= now;
            if asked.is_given_up && !is_only_told(&asked.action) {
                self.speech.gives_up();
            }
        }
    }

    /// Whether the call waits for the store, and keeps what is keyed.
    fn is_waiting(&self) -> bool {
        self.asked.values().any(|asked| !asked.is_given_up && !is_only_told(&asked.action))
    }

    /// The store's reply is about to be taken by the call.
    pub fn replied(&mut self, ticket: Ticket, reply: &Reply) {
        let is_late = self.asked.get(&ticket).is_some_and(|asked| asked.is_given_up);
        if self.is_over {
            // Nobody hears it; but a take that could not be kept is a draft after all.
            if *reply == Reply::Refused(Refusal::TryLater) {
                self.asked.remove(&ticket);
            }
            return;
        }
        let Asked { action, .. } = self.asked.remove(&ticket).expect("a reply to something that was asked");
        if is_late || CLOSED.contains(&self.place) {
            return;
        }
        self.is_opening = matches!(reply, Reply::Recording { .. });
        match (reply, &action, &mut self.logged_in) {
            (Reply::LoggedIn(session), Action::Login { .. }, None) => {
                self.logged_in = Some(LoggedIn {
                    id: session.id,
                    granted: session.granted,
                    pin_resets: session.pin_resets,
                    must_change_pin: session.must_change_pin,
                    gone: Permissions::default(),
                });
            }
            (Reply::Changed(_), Action::ReplaceTemporaryPin { .. }, Some(who)) => who.must_change_pin = false,
            (Reply::Refused(Refusal::NoLongerAllowed), action, Some(who)) if !says_nothing_of_the_menu(action) => {
                who.gone = who.gone.and(action.needs().unwrap_or_default());
            }
            (Reply::Changed(_), Action::KeepRecording { .. }, _)
            | (Reply::Done | Reply::Refused(Refusal::NothingThere), Action::DiscardDraft { .. }, _) => {
                self.in_hand = None;
            }
            (Reply::Recording { draft: Some(draft), .. }, Action::OpenRecording { .. }, _) => {
                self.in_hand = Some((draft.clone(), true));
                self.has_drafts = true;
            }
            _ => {}
        }
        self.known.learn(&action, reply, self.keys.len());
        if !is_only_told(&action) {
            self.speech.replied(self.place, &action, reply);
        }
    }

    /// The SIP side has told the call that it is over.
    pub fn told_hung_up(&mut self) {
        self.is_over = true;
    }

    /// Something has happened, with these outputs; the place is named before and after it.
    pub fn outputs(
        &mut self,
        now: Mono,
        (before, after): (&'static str, &'static str),
        take: Option<&Take>,
        outputs: &[Output],
    ) {
        let was_over = self.is_over;
        let expected = self.draft_expected(before, after, take);
        // A key that waits decides about it at once.
        if let Some(take) = take.filter(|_| before == "record" && after == "review-menu") {
            self.in_hand = Some((take.audio.clone(), false));
        }
        let mut drafts = Vec::new();
        for output in outputs {
            match output {
                Output::Ask(ticket, actor, action) => {
                    let is_late = was_over || self.is_over;
                    assert!(!is_late || matches!(action, Action::SaveDraft { .. }), "{action:?} asked after the end");
                    self.ask(actor, action);
                    if !is_only_told(action) {
                        self.speech.goes_on();
                    }
                    if let Action::SaveDraft { number, audio } = action {
                        assert_eq!(Some(*number), self.opened, "a draft of another recording");
                        drafts.push(audio.clone());
                    }
                    let asked = Asked { action: action.clone(), at: now, is_given_up: false };
                    assert!(self.asked.insert(*ticket, asked).is_none(), "a ticket is used twice");
                }
                Output::HangUp => {
                    assert!(!self.is_over, "hung up twice");
                    self.is_over = true;
                }
                Output::Finish(..) => {}
            }
        }
        let finishes = outputs.iter().any(|output| matches!(output, Output::Finish(None, _)));
        let expected = expected.filter(|_| !finishes);
        assert_eq!(drafts.first(), expected.as_ref(), "what was in review is kept as a draft, and nothing else is");
        assert!(drafts.len() <= 1);
        if after == "record" && !REVIEWING.contains(&before) {
            self.has_drafts = before == SYSTEM_RECORDING || self.is_opening;
        }
        self.is_opening = false;
        self.place = after;
        let keeps_keys = self.is_waiting() || after == "ringing" || after == "record";
        self.speech.comes_to(after, keeps_keys);
        if !REVIEWING.contains(&after) {
            self.in_hand = None;
        }
    }

    /// The take that has to become a draft now, for nobody will decide about it.
    fn draft_expected(&self, before: &str, after: &str, take: Option<&Take>) -> Option<Audio> {
        let decides = |action: &Action| matches!(action, Action::KeepRecording { .. } | Action::DiscardDraft { .. });
        let is_deciding = self.asked.values().any(|asked| !asked.is_given_up && decides(&asked.action));
        // Without the right to it there is no draft either.
        let is_gone = self.logged_in.as_ref().is_some_and(|who| who.gone.has(Permission::RecordingsChange));
        let is_deciding = is_deciding || is_gone;
        if !self.has_drafts || !REVIEWING.contains(&before) || !CLOSED.contains(&after) || is_deciding {
            return None;
        }
        let fresh = take.map(|take| take.audio.clone()).filter(|audio| !audio.0.is_empty());
        let old = self.in_hand.clone().filter(|(audio, is_draft)| !is_draft && !audio.0.is_empty());
        fresh.or(old.map(|(audio, _)| audio))
    }
}

/// Whether the call does not wait for the reply.
fn is_only_told(action: &Action) -> bool {
    matches!(action, Action::NoteDenied { .. } | Action::NewsHeard | Action::SaveDraft { .. })
}

/// Whether a refusal of it leaves the menu as it is: what an undo needs depends on the change.
fn says_nothing_of_the_menu(action: &Action) -> bool {
    let undoes = |what: &Destructive| matches!(what, Destructive::Undo { .. });
    match action {
        Action::Check(what) | Action::Confirm(what, _) => undoes(what),
        action => is_only_told(action),
    }
}
