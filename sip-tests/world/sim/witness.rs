//! What must always hold of one call, checked after each thing that happens to it. The witness knows what the link
//! delivered and what the store said; it knows nothing of the machines.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use switchhook::access::{Action, Actor, Permission, Permissions, Refusal, Reply};
use switchhook::call::{CallLimits, Output};
use switchhook::media::session::Agreed;
use switchhook::model::{AccountId, Audio, Extension, Mono, RecordingNumber, Take, Ticket};
use switchhook::wire::g711::Law;
use switchhook::wire::rtp::Packet;

use super::handset::KeyWay;

/// One frame of ours.
const FRAME: Duration = Duration::from_millis(20);
/// Goodbyes and takes that are waited for at the very end of the longest call.
const CLOSING_MAX: Duration = Duration::from_secs(26);
/// Packets of a tone in which it is found: 80 ms.
const TONE_PACKETS: usize = 4;
const REVIEWING: [&str; 2] = ["review-menu", "record"];
const CLOSED: [&str; 2] = ["goodbye", "over"];

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

/// Who is logged in, as the store said.
struct LoggedIn {
    id: AccountId,
    granted: Permissions,
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
    last_heard: Mono,
    talking_since: Option<Mono>,
    is_over: bool,
    /// The last packet of ours: when, sequence, timestamp, SSRC.
    last_sent: Option<(Mono, u16, u32, u32)>,
    may_mark: bool,
    /// The keys that a packet has told of, in the order of the first ones.
    pub keys: String,
    counted: BTreeSet<usize>,
    /// How many packets have told of each.
    told: HashMap<usize, usize>,
    logged_in: Option<LoggedIn>,
    asked: HashMap<Ticket, Action>,
    opened: Option<RecordingNumber>,
    /// What is in review, and whether the store has it as a draft.
    in_hand: Option<(Audio, bool)>,
    pub packets: u64,
}

impl Witness {
    pub fn new(now: Mono, way: KeyWay, caller: Option<Extension>, limits: &CallLimits, agreed: Agreed) -> Self {
        let latch = Latch { closes: now + Duration::from_secs(5), next: 0, count: 0, is_open: false };
        Self {
            way,
            caller,
            call_max: limits.menu.call_max,
            rtp_silence: limits.rtp_silence,
            agreed,
            latch,
            last_heard: now,
            talking_since: None,
            is_over: false,
            last_sent: None,
            may_mark: true,
            keys: String::new(),
            counted: BTreeSet::new(),
            told: HashMap::new(),
            logged_in: None,
            asked: HashMap::new(),
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
        if let Some((press, key)) = datagram.press {
            self.press(press, key);
            *self.told.entry(press).or_default() += 1;
        }
    }

    /// A packet or an INFO that tells of a press has come.
    pub fn press(&mut self, press: usize, key: char) {
        if !self.is_over && self.counted.insert(press) {
            self.keys.push(key);
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
            return assert!(!talks || !self.agreed.receives, "a gap in what the caller hears");
        };
        assert!(talks, "RTP is sent while nobody is there to hear it");
        assert!(self.agreed.receives, "RTP is sent to a caller who holds the call");
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
        self.packets += 1;
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
    pub fn counts(&self, keys: u32) {
        let (keys, told) = (keys as usize, self.keys.chars().count());
        match self.way {
            KeyWay::Events | KeyWay::Info => assert_eq!(keys, told, "keys that the dialogue got, of those pressed"),
            KeyWay::InBand => {
                assert!(keys <= told, "{keys} keys of {told} presses");
                let long = self.told.values().filter(|packets| **packets >= TONE_PACKETS).count();
                assert!(keys >= long, "{keys} keys of {long} tones that were long enough");
            }
        }
    }

    /// The store's reply is about to be taken by the call.
    pub fn replied(&mut self, ticket: Ticket, reply: &Reply) {
        if self.is_over {
            return;
        }
        let action = self.asked.remove(&ticket).expect("a reply to something that was asked");
        match (reply, &action, &mut self.logged_in) {
            (Reply::LoggedIn(session), Action::Login { .. }, None) => {
                self.logged_in = Some(LoggedIn {
                    id: session.id,
                    granted: session.granted,
                    must_change_pin: session.must_change_pin,
                    gone: Permissions::default(),
                });
            }
            (Reply::Changed(_), Action::ReplaceTemporaryPin { .. }, Some(who)) => who.must_change_pin = false,
            (Reply::Refused(Refusal::NoLongerAllowed), Action::NoteDenied { .. } | Action::NewsHeard, _) => {}
            (Reply::Refused(Refusal::NoLongerAllowed), action, Some(who)) => {
                who.gone = who.gone.and(action.needs().unwrap_or_default());
            }
            (Reply::Changed(_), Action::KeepRecording { .. }, _)
            | (Reply::Done | Reply::Refused(Refusal::NothingThere), Action::DiscardDraft { .. }, _) => {
                self.in_hand = None;
            }
            (Reply::Recording { draft: Some(draft), .. }, Action::OpenRecording { .. }, _) => {
                self.in_hand = Some((draft.clone(), true));
            }
            _ => {}
        }
    }

    /// The SIP side has told the call that it is over.
    pub fn told_hung_up(&mut self) {
        self.is_over = true;
    }

    /// Something has happened, with these outputs; the place is named before and after it.
    pub fn outputs(&mut self, before: &str, after: &str, take: Option<&Take>, outputs: &[Output]) {
        let was_over = self.is_over;
        let expected = self.draft_expected(before, after, take);
        let mut drafts = Vec::new();
        for output in outputs {
            match output {
                Output::Ask(ticket, actor, action) => {
                    let is_late = was_over || self.is_over;
                    assert!(!is_late || matches!(action, Action::SaveDraft { .. }), "{action:?} asked after the end");
                    self.ask(actor, action);
                    if let Action::SaveDraft { number, audio } = action {
                        assert_eq!(Some(*number), self.opened, "a draft of another recording");
                        drafts.push(audio.clone());
                    }
                    assert!(self.asked.insert(*ticket, action.clone()).is_none(), "a ticket is used twice");
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
        if let Some(take) = take.filter(|_| before == "record" && after == "review-menu") {
            self.in_hand = Some((take.audio.clone(), false));
        }
        if !REVIEWING.contains(&after) {
            self.in_hand = None;
        }
    }

    /// The take that has to become a draft now, for nobody will decide about it.
    fn draft_expected(&self, before: &str, after: &str, take: Option<&Take>) -> Option<Audio> {
        let is_deciding =
            self.asked.values().any(|a| matches!(a, Action::KeepRecording { .. } | Action::DiscardDraft { .. }));
        // Without the right to it there is no draft either.
        let is_gone = self.logged_in.as_ref().is_some_and(|who| who.gone.has(Permission::RecordingsChange));
        let is_deciding = is_deciding || is_gone;
        if !REVIEWING.contains(&before) || !CLOSED.contains(&after) || is_deciding {
            return None;
        }
        let fresh = take.map(|take| take.audio.clone()).filter(|audio| !audio.0.is_empty());
        let old = self.in_hand.clone().filter(|(audio, is_draft)| !is_draft && !audio.0.is_empty());
        fresh.or(old.map(|(audio, _)| audio))
    }

    /// Whoever asks may, as far as they know, and asks for what was keyed.
    fn ask(&mut self, actor: &Actor, action: &Action) {
        if let Action::Login { extension, pin } = action {
            assert_eq!(*actor, Actor::Caller);
            let is_caller = self.caller.as_ref() == Some(extension);
            let (digits, keys) = (pin.digits(), &self.keys);
            assert!(is_caller || digits.is_empty() || self.keyed(extension.as_str()) > 0, "{extension} of {keys}");
            return assert!(digits.is_empty() || self.keyed(digits) > 0, "the PIN {digits} was not keyed: {keys}");
        }
        let Some(who) = &self.logged_in else { panic!("{action:?} asked before a login") };
        assert_eq!(*actor, Actor::Account { id: who.id, granted: who.granted }, "asked in another's name");
        let needed = action.needs().expect("all but the login needs one");
        assert!(who.granted.any(needed), "{action:?} asked without the permission");
        assert!(
            who.granted.without(who.gone).any(needed),
            "{action:?} asked though the permission is known to be gone"
        );
        let before_change = matches!(action, Action::ReplaceTemporaryPin { .. } | Action::NoteDenied { .. });
        assert!(!who.must_change_pin || before_change, "{action:?} asked before the temporary PIN was changed");
        match action {
            Action::ReplaceTemporaryPin { new } | Action::SetOwnVoicemailPin { new } => {
                assert!(self.keyed(new.digits()) >= 2, "a PIN that was not keyed twice");
            }
            Action::SetOwnAccountPin { current, new } => {
                assert!(self.keyed(new.digits()) >= 2, "a PIN that was not keyed twice");
                assert!(current.digits().is_empty() || self.keyed(current.digits()) > 0);
            }
            Action::Confirm(_, pin) => {
                assert!(pin.digits().is_empty() || self.keyed(pin.digits()) > 0, "a PIN that was not keyed");
            }
            Action::OpenUser { extension } => assert!(self.keyed(extension.as_str()) > 0),
            Action::OpenRecording { number } => self.opened = Some(*number),
            Action::KeepRecording { number, audio } => {
                assert_eq!(Some(*number), self.opened, "kept as another recording");
                let in_hand = self.in_hand.as_ref().map(|(audio, _)| audio);
                assert_eq!(Some(audio), in_hand, "kept what was not in review");
                assert!(self.keys.contains('2'));
            }
            Action::RestoreRecording { number, .. } => {
                assert_eq!(Some(*number), self.opened, "another recording restored");
                assert!(self.keys.contains(['3', '4']));
            }
            Action::ResetVoicemailPin { .. } | Action::DiscardDraft { .. } | Action::CancelReboot => {
                assert!(self.keys.contains(['1', '3', '*']));
            }
            _ => {}
        }
    }

    /// How often these digits were keyed as the end of an entry.
    fn keyed(&self, digits: &str) -> usize {
        self.keys.matches(&format!("{digits}#")).count()
    }
}
