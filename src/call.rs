//! One call: its media and its dialogue, and what is asked of the world for it.
//!
//! Datagrams, keys, replies and the 20 ms clock go in; packets come out of [`Call::frame`], everything else out of
//! [`Call::poll_output`]. A call knows neither SIP nor the store: whoever drives it carries its requests there.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::access::{Action, Actor, Reply};
use crate::media::player::Item;
use crate::media::prompts::Prompts;
use crate::media::recorder::{Pool, RawTake, RecordLimits};
use crate::media::session::{Agreed, Event, PACKET_BYTES, Session, Start};
use crate::menu::{CallerInfo, Dialogue, Input, Limits, Output as Said};
use crate::model::{Bucket, Language, Mono, Rate, Sound, Take, Ticket};
use crate::wire::rtcp::REPORT_BYTES_MAX;

/// Keys that are taken in a second: twice as many as an autodialler presses (50 ms each, and 50 ms between).
const KEYS_A_SECOND: u32 = 20;
/// Keys that are taken at once: as many as may be typed ahead, where the network held them up.
const KEYS_AT_ONCE: u32 = 32;
const KEYS: Rate = Rate::per_second(KEYS_A_SECOND, KEYS_AT_ONCE);
/// An answer that was not acknowledged for this long is given up, though nobody said so: longer than SIP waits (32 s,
/// RFC 3261 section 13.3.1.4).
const WAITING_MAX: Duration = Duration::from_secs(40);
/// After the hang-up, how long a take to be finished, or the answer whether one was kept, is waited for.
const FINISHING_MAX: Duration = Duration::from_secs(60);

/// The limits of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Of the dialogue.
    pub menu: Limits,
    /// Of a recording.
    pub record: RecordLimits,
    /// A call without any RTP ends after this.
    pub rtp_silence: Duration,
}

/// What is to be done for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask the store; the answer comes back by [`Call::handle_reply`].
    Ask(Ticket, Actor, Action),
    /// Trim, judge and level a take, off the media threads; it comes back by [`Call::handle_take`]. The ticket is
    /// `None` where the caller has hung up meanwhile.
    Finish(Option<Ticket>, RawTake),
    /// Hang up.
    HangUp,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Answered and not yet acknowledged.
    Waiting,
    /// The caller hears us.
    Talking,
    /// The caller is gone; a take is being finished for its draft.
    Finishing,
    /// Nothing more happens.
    Over,
}

/// A call.
pub struct Call {
    session: Session,
    dialogue: Dialogue,
    prompts: Arc<Prompts>,
    /// In which prompts are heard now.
    language: Language,
    limits: Arc<CallLimits>,
    phase: Phase,
    /// When the phase began.
    since: Mono,
    keys: Bucket,
    keys_dropped: u32,
    /// The store is asked to keep a take.
    keeping: Option<Ticket>,
    /// A take is being finished elsewhere.
    is_finishing: bool,
    keys_heard: u32,
    outputs: VecDeque<Output>,
}

impl Call {
    /// Begins with the answer to the INVITE.
    pub fn new(
        now: Mono,
        agreed: Agreed,
        start: Start,
        caller: CallerInfo,
        prompts: Arc<Prompts>,
        limits: Arc<CallLimits>,
    ) -> Self {
        let language = caller.language;
        Self {
            session: Session::new(now, agreed, start),
            dialogue: Dialogue::new(limits.menu.clone(), caller, now),
            prompts,
            language,
            limits,
            phase: Phase::Waiting,
            since: now,
            keys: Bucket::default(),
            keys_dropped: 0,
            keeping: None,
            is_finishing: false,
            keys_heard: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Says where SIP comes from; see [`Session::set_peer`].
    #[must_use]
    pub fn called_from(mut self, peer: IpAddr) -> Self {
        self.session.set_peer(peer);
        self
    }

    /// Says with which calls it shares the memory for recordings; else it has a pool of its own.
    #[must_use]
    pub fn recorded_in(mut self, pool: Arc<Pool>) -> Self {
        self.session.set_pool(pool);
        self
    }

    /// The answer was acknowledged: the greeting begins.
    pub fn handle_confirmed(&mut self, now: Mono) {
        if self.phase == Phase::Waiting {
            self.enter(now, Phase::Talking);
            self.say(now, Input::Answered);
        }
    }

    /// A datagram came to the RTP port; `false` where it is not the call's own.
    pub fn handle_rtp(&mut self, now: Mono, from: SocketAddr, datagram: &[u8]) -> bool {
        let is_own = self.session.handle_rtp(now, from, datagram);
        self.hear(now);
        is_own
    }

    /// A datagram came to the RTCP port; `false` where it tells nothing, as what is not the call's own does.
    pub fn handle_rtcp(&mut self, now: Mono, from: SocketAddr, datagram: &[u8]) -> bool {
        self.session.handle_rtcp(now, from, datagram)
    }

    /// A request within the call came that changes nothing (OPTIONS, an UPDATE without an offer, an INFO without a key): a
    /// caller who only listens shows by it that it is still there.
    pub fn handle_request(&mut self, now: Mono) {
        self.session.handle_request(now);
    }

    /// SIP INFO told a key.
    pub fn handle_info(&mut self, now: Mono, key: char) {
        self.session.handle_request(now);
        self.session.handle_info(key);
        self.hear(now);
    }

    /// A new offer and answer changed the stream.
    pub fn handle_renegotiated(&mut self, now: Mono, agreed: Agreed) {
        self.session.renegotiate(now, agreed);
    }

    /// The store has answered.
    pub fn handle_reply(&mut self, now: Mono, ticket: Ticket, reply: Reply) {
        let kept = self.keeping.take_if(|keeping| *keeping == ticket);
        match self.phase {
            Phase::Talking => self.say(now, Input::Replied(ticket, reply)),
            // The caller did not wait to hear whether the take was kept; where it was not, it becomes the draft.
            Phase::Finishing if kept.is_some() => {
                self.say(now, Input::Replied(ticket, reply));
                self.outputs.clear();
                self.end(now, None);
            }
            Phase::Waiting | Phase::Finishing | Phase::Over => {}
        }
    }

    /// A take is finished.
    pub fn handle_take(&mut self, now: Mono, ticket: Option<Ticket>, take: Take) {
        self.is_finishing = false;
        match (self.phase, ticket) {
            (Phase::Talking, Some(ticket)) => self.say(now, Input::Recorded(ticket, take)),
            // The recording had ended when the caller hung up, or hanging up ended it: it is the draft.
            (Phase::Finishing, _) => self.end(now, Some(take)),
            (Phase::Talking, None) | (Phase::Waiting | Phase::Over, _) => {}
        }
    }

    /// The call is gone: the caller hung up, or somebody else ended it.
    pub fn handle_hung_up(&mut self, now: Mono) {
        if matches!(self.phase, Phase::Over | Phase::Finishing) {
            return;
        }
        self.session.stop();
        match self.session.take_recording() {
            Some(raw) => {
                self.enter(now, Phase::Finishing);
                self.outputs.push_back(Output::Finish(None, raw));
            }
            None if self.is_finishing || self.keeping.is_some() => self.enter(now, Phase::Finishing),
            None => self.end(now, None),
        }
    }

    /// Goes on by 20 ms: writes the next packet; its length, and where it goes.
    pub fn frame(&mut self, now: Mono, target: &mut [u8; PACKET_BYTES]) -> Option<(usize, SocketAddr)> {
        if self.phase != Phase::Talking {
            self.wait_no_longer(now);
            return None;
        }
        let to = self.session.frame(now, target);
        self.hear(now);
        if self.dialogue.poll_timeout().is_some_and(|at| at <= now) {
            self.dialogue.handle_timeout(now);
            self.carry_out(now);
        }
        if self.session.silent_for(now) >= self.limits.rtp_silence {
            tracing::info!("no RTP from the caller: the call is ended");
            self.hang_up(now);
        }
        to
    }

    /// Whether nobody on the way can listen or forge a key; see [`Session::is_private`].
    pub fn is_private(&self) -> bool {
        self.session.is_private()
    }

    /// Whether an RTCP report is due.
    pub fn report_is_due(&self, now: Mono) -> bool {
        self.phase == Phase::Talking && self.session.report_is_due(now)
    }

    /// Writes an RTCP report (`bye`: the last one); see [`Session::report`].
    pub fn report(
        &mut self,
        now: Mono,
        ntp: u64,
        bye: bool,
        target: &mut [u8; REPORT_BYTES_MAX],
    ) -> (usize, SocketAddr) {
        self.session.report(now, ntp, bye, target)
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if output.is_none() && self.outputs.capacity() > 8 {
            self.outputs = VecDeque::new();
        }
        output
    }

    /// Whether nothing more happens and the call can be dropped.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over && self.outputs.is_empty()
    }

    /// Where the caller is in the menu.
    pub fn place(&self) -> &'static str {
        self.dialogue.place()
    }

    /// How many keys the dialogue was given so far; which ones is nobody's business.
    pub fn keys_heard(&self) -> u32 {
        self.keys_heard
    }

    /// What came faster than anybody presses or speaks, and was dropped: keys, and packets of audio.
    pub fn dropped(&self) -> (u32, u32) {
        (self.keys_dropped, self.session.audio_dropped())
    }

    /// The one address from which RTP can be the call's own now; `None` where it may still be another.
    pub fn only_source(&self) -> Option<SocketAddr> {
        self.session.only_source()
    }

    /// Takes to the dialogue what happened in the stream.
    fn hear(&mut self, now: Mono) {
        while let Some(event) = self.session.poll_event() {
            // Keys that overtake the ACK, or come while it is lost, are kept by the dialogue until it begins.
            if !matches!(self.phase, Phase::Waiting | Phase::Talking) {
                continue;
            }
            match event {
                Event::Key(_) if !self.keys.take(now, KEYS, 1) => {
                    self.keys_dropped = self.keys_dropped.saturating_add(1);
                }
                Event::Key(key) => {
                    self.keys_heard = self.keys_heard.saturating_add(1);
                    self.say(now, Input::Key(key));
                }
                Event::KeyUp => self.say(now, Input::KeyUp),
                Event::Played(ticket) => self.say(now, Input::Played(ticket)),
                Event::Recorded(ticket, raw) => {
                    self.is_finishing = true;
                    self.outputs.push_back(Output::Finish(Some(ticket), raw));
                }
            }
        }
    }

    fn say(&mut self, now: Mono, input: Input) {
        self.dialogue.handle(now, input);
        self.carry_out(now);
    }

    /// Carries out what the dialogue wants.
    fn carry_out(&mut self, now: Mono) {
        while let Some(output) = self.dialogue.poll_output() {
            match output {
                Said::Language(language) => self.language = language,
                Said::Play(ticket, sounds) => {
                    let items: Vec<Item> = sounds.into_iter().filter_map(|sound| self.item(sound)).collect();
                    self.session.play(ticket, items);
                }
                Said::StopPlaying => self.session.stop(),
                Said::Record(ticket) => self.session.record(now, ticket, self.limits.record),
                Said::EndRecording => {
                    self.session.end_recording();
                    self.hear(now);
                }
                Said::AbandonRecording => drop(self.session.take_recording()),
                Said::Ask(ticket, action) => {
                    if let Action::KeepRecording { .. } = action {
                        self.keeping = Some(ticket);
                    }
                    self.outputs.push_back(Output::Ask(ticket, self.dialogue.actor(), action));
                }
                Said::HangUp => self.hang_up(now),
            }
        }
    }

    fn item(&self, sound: Sound) -> Option<Item> {
        match sound {
            Sound::Audio(audio) => Some(Item::Audio(audio)),
            Sound::Clip(clip) => {
                let frames = self.prompts.get(self.language, clip);
                if frames.is_none() {
                    tracing::warn!(
                        clip,
                        language = self.language.code(),
                        "a prompt is missing; run `switchhook prompts check`"
                    );
                }
                frames.map(Item::Frames)
            }
        }
    }

    fn hang_up(&mut self, now: Mono) {
        if self.phase == Phase::Talking {
            self.outputs.push_back(Output::HangUp);
            self.handle_hung_up(now);
        }
    }

    /// Ends a call that nobody told how it goes on: that got lost while the media thread had too much to do.
    fn wait_no_longer(&mut self, now: Mono) {
        let waited = now.since(self.since);
        match self.phase {
            Phase::Waiting if waited >= WAITING_MAX => {
                self.outputs.push_back(Output::HangUp);
                self.handle_hung_up(now);
            }
            Phase::Finishing if waited >= FINISHING_MAX => self.end(now, None),
            Phase::Waiting | Phase::Finishing | Phase::Talking | Phase::Over => {}
        }
    }

    fn enter(&mut self, now: Mono, phase: Phase) {
        (self.phase, self.since) = (phase, now);
    }

    fn end(&mut self, now: Mono, take: Option<Take>) {
        self.enter(now, Phase::Over);
        self.say(now, Input::HungUp { take });
    }
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
