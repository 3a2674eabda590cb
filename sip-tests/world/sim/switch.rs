//! The second driver of the pure core: what the server's signalling, media and request drivers do, on the fake clock.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use switchhook::access::{Action, Actor, Refusal, Reply};
use switchhook::call::{Call, Output};
use switchhook::media::level;
use switchhook::media::session::{Agreed, KeysBy, PACKET_BYTES, Start};
use switchhook::menu::CallerInfo;
use switchhook::model::{CallId, Extension, Language, Mono, Take, Ticket};
use switchhook::sip::{DialogKey, EndReason, Event as SipEvent, Incoming};
use switchhook::wire::dtmf::info_key;
use switchhook::wire::g711::Law;
use switchhook::wire::rtcp::REPORT_BYTES_MAX;
use switchhook::wire::sdp;

use super::ear::prompting;
use super::rivals::Applied;
use super::witness::{ANSWER_MAX, Witness};
use super::{Event, World};

const LAWS: [Law; 2] = [Law::Mu, Law::A];
/// Datagrams that a frame reads; more wait.
const DATAGRAMS_MAX: usize = 16;
/// Frames from one look at RTCP to the next.
const RTCP_EVERY: u8 = 16;
const FRAME: Duration = Duration::from_millis(20);
/// So near to the moment at which a caller gives up, a reply does not come.
const UNCLEAR: Duration = Duration::from_millis(100);

/// A call, as the SIP side knows it.
pub struct SipCall {
    pub id: CallId,
    pub phone: usize,
    pub call_id: String,
    pub port: u16,
    pub is_confirmed: bool,
    answered: Mono,
    local: sdp::Local,
    waiting: Option<CallerInfo>,
    /// INFO keys that were told to the call.
    pub infos: u32,
}

/// A call, as the media side has it.
pub struct Running {
    pub id: CallId,
    pub phone: usize,
    pub call: Call,
    pub witness: Witness,
    port: u16,
    frames: u8,
}

/// What the SIP side tells the media side.
pub enum Command {
    Confirmed,
    Renegotiated(Agreed),
    Info(usize, char),
    HungUp,
}

impl World {
    pub fn handle_sip_event(&mut self, event: SipEvent) {
        match event {
            SipEvent::Incoming(incoming) => self.set_up(&incoming),
            SipEvent::Confirmed { dialog, answer } => self.confirmed(dialog, answer.as_deref()),
            SipEvent::Reoffered { dialog, offer } => self.reoffered(dialog, offer.as_deref()),
            SipEvent::ReofferConfirmed { dialog, answer } => {
                if let (Some(call), Some(remote)) = (self.calls.get(&dialog), answer.and_then(|a| read(&a))) {
                    let id = call.id;
                    self.command(id, Command::Renegotiated(agreed(&remote)));
                }
            }
            SipEvent::Info { dialog, content_type, body } => {
                let key = info_key(&content_type, &body).expect("a key");
                let call = self.calls.get_mut(&dialog).expect("a call that was not ended");
                // The phone sends one INFO at a time.
                let press = self.info_press.expect("an INFO was just delivered");
                assert_eq!(self.phones[call.phone].phone.handset.presses[press], key);
                call.infos += 1;
                let id = call.id;
                self.command(id, Command::Info(press, key));
            }
            // Nobody waits for long enough here for that to matter.
            SipEvent::Request { .. } => {}
            SipEvent::Ended { dialog, why } => self.ended(dialog, why),
            SipEvent::Probed { .. } => panic!("nobody is probed"),
        }
    }

    fn set_up(&mut self, incoming: &Incoming) {
        let phone = self.phone_at(incoming.flow.peer);
        let remote = incoming.offer.as_deref().map(|offer| read(offer).expect("a phone's offer"));
        let port = 10_000 + 2 * self.next_call as u16;
        let rtp = SocketAddr::new(incoming.flow.local.ip(), port);
        let local = sdp::Local { rtp, session: self.next_call, version: 1 };
        let id = CallId(self.next_call);
        self.next_call += 1;
        let user = incoming.asserted_user.as_ref().or(incoming.from_user.as_ref());
        let extension = user.and_then(|user| Extension::parse(user));
        let caller = CallerInfo { extension, languages: Language::ALL.to_vec(), ..CallerInfo::default() };
        let mut call = SipCall {
            id,
            phone,
            call_id: incoming.call_id.clone(),
            port,
            is_confirmed: false,
            answered: self.now,
            local,
            waiting: None,
            infos: 0,
        };
        self.inboxes.insert(port, Vec::new());
        let text = match &remote {
            Some(remote) => {
                self.begin(id, phone, port, agreed(remote), caller);
                remote.answer(&local, None)
            }
            None => {
                call.waiting = Some(caller);
                sdp::offer(&local, &sdp::Streams::default(), &LAWS, true, &[])
            }
        };
        self.calls.insert(incoming.dialog, call);
        self.dialogs.insert(id, incoming.dialog);
        let _ = self.endpoint.answer(self.now, incoming.dialog, text.as_bytes());
    }

    fn begin(&mut self, id: CallId, phone: usize, port: u16, agreed: Agreed, caller: CallerInfo) {
        let keys_by = KeysBy { events: true, info: true, inband: true };
        let start = Start {
            ssrc: self.random.next() as u32,
            sequence: self.random.next() as u16,
            timestamp: self.random.next() as u32,
            keys_by,
        };
        let way = self.phones[phone].phone.traits.way;
        let peer = self.phones[phone].phone.rtp.ip();
        let witness = Witness::new(self.now, way, (caller.extension.clone(), peer), &self.limits, agreed.clone());
        let (prompts, limits) = (Arc::clone(&prompting().prompts), Arc::clone(&self.limits));
        let call = Call::new(self.now, agreed, start, caller, prompts, limits).called_from(peer);
        self.running.insert(id, Running { id, phone, call, witness, port, frames: 0 });
        // Its slot of the wheel.
        let slot = Duration::from_millis(self.random.below(20));
        self.at(self.now + slot, Event::Frame(id));
    }

    fn confirmed(&mut self, dialog: DialogKey, answer: Option<&[u8]>) {
        let call = self.calls.get_mut(&dialog).expect("a call that was not ended");
        call.is_confirmed = true;
        let (id, phone, port) = (call.id, call.phone, call.port);
        if let Some(caller) = call.waiting.take() {
            let remote = answer.and_then(read).expect("the phones answer our offers");
            self.begin(id, phone, port, agreed(&remote), caller);
        }
        self.command(id, Command::Confirmed);
    }

    fn reoffered(&mut self, dialog: DialogKey, offer: Option<&[u8]>) {
        let call = self.calls.get_mut(&dialog).expect("a call that was not ended");
        call.local.version += 1;
        let (id, local) = (call.id, call.local);
        let text = match offer {
            Some(offer) => {
                let remote = read(offer).expect("a phone's offer");
                self.command(id, Command::Renegotiated(agreed(&remote)));
                remote.answer(&local, None)
            }
            None => sdp::offer(&local, &sdp::Streams::default(), &LAWS, true, &[]),
        };
        self.seen.offers_within += 1;
        let _ = self.endpoint.answer_reoffer(self.now, dialog, Ok(text.as_bytes()));
    }

    fn ended(&mut self, dialog: DialogKey, why: EndReason) {
        let call = self.calls.remove(&dialog).expect("one end for each call");
        self.dialogs.remove(&call.id);
        self.tell(call.phone, format!("the call has ended: {why:?}"));
        let lasted = self.now.since(call.answered);
        assert!(call.is_confirmed || lasted <= Duration::from_millis(32_100), "{lasted:?} without an ACK");
        assert!(why != EndReason::NoAck || lasted >= Duration::from_secs(32), "given up after {lasted:?}");
        if matches!(why, EndReason::HungUp | EndReason::NoAck) {
            self.byes_due.push(call.call_id.clone());
        }
        *self.seen.ends.entry(format!("{why:?}")).or_default() += 1;
        let told = self.infos_delivered.get(&call.call_id).copied().unwrap_or(0);
        assert_eq!(call.infos, told, "INFO requests that were told, of those that came");
        if self.running.contains_key(&call.id) {
            self.command(call.id, Command::HungUp);
        } else {
            self.inboxes.remove(&call.port);
        }
    }

    /// Sends a command on its way; one never overtakes another.
    fn command(&mut self, id: CallId, command: Command) {
        let latency = Duration::from_micros(self.random.below(2000));
        self.commands_at = self.commands_at.max(self.now + latency);
        self.at(self.commands_at, Event::Command(id, command));
    }

    pub fn obey(&mut self, id: CallId, command: Command) {
        let now = self.now;
        self.input(id, |running| match command {
            Command::Confirmed => {
                running.witness.confirmed(now);
                running.call.handle_confirmed(now);
            }
            Command::Renegotiated(agreed) => {
                running.witness.renegotiated(now, agreed.clone());
                running.call.handle_renegotiated(now, agreed);
            }
            Command::Info(press, key) => {
                running.witness.press(press, key);
                running.call.handle_info(now, key);
            }
            Command::HungUp => {
                report(now, running, true);
                running.witness.told_hung_up();
                running.call.handle_hung_up(now);
            }
        });
    }

    /// The call's 20 ms: what has come is read, then the next packet goes out.
    pub fn frame(&mut self, id: CallId) {
        let Some(running) = self.running.get(&id) else { return };
        let (now, port) = (self.now, running.port);
        let inbox = self.inboxes.get_mut(&port).expect("a call's port");
        inbox.sort_by_key(|datagram| datagram.at);
        let due = inbox.iter().take(DATAGRAMS_MAX).take_while(|datagram| datagram.at <= now).count();
        for datagram in inbox.drain(..due).collect::<Vec<_>>() {
            self.input(id, |running| {
                running.witness.reads(now, &datagram);
                running.call.handle_rtp(now, datagram.from, &datagram.bytes);
            });
        }
        let mut sent = None;
        self.input(id, |running| {
            running.frames = running.frames.wrapping_add(1);
            if running.frames % RTCP_EVERY == 0 && running.call.report_is_due(now) {
                report(now, running, false);
            }
            running.witness.waits_no_longer(now);
            let mut packet = [0; PACKET_BYTES];
            let to = running.call.frame(now, &mut packet);
            running.witness.sent(now, to.map(|(length, to)| (&packet[..length], to)));
            sent = to.map(|(length, to)| (packet[..length].to_vec(), to));
        });
        if let Some((packet, to)) = sent {
            self.carry_to_phone(&packet, to);
        }
        if let Some(running) = self.running.get(&id) {
            running.witness.ticked(now);
            self.at(now + FRAME, Event::Frame(id));
        }
    }

    /// Lets something happen to a call, and carries out what it wants.
    pub fn input(&mut self, id: CallId, happens: impl FnOnce(&mut Running)) {
        self.input_with_take(id, None, happens);
    }

    fn input_with_take(&mut self, id: CallId, take: Option<&Take>, happens: impl FnOnce(&mut Running)) {
        let Some(mut running) = self.running.remove(&id) else { return };
        let before = running.call.place();
        happens(&mut running);
        let outputs: Vec<Output> = std::iter::from_fn(|| running.call.poll_output()).collect();
        running.witness.outputs(self.now, (before, running.call.place()), take, &outputs);
        running.witness.counts(running.call.keys_heard());
        if before != running.call.place() {
            self.seen.places.insert(running.call.place());
        }
        for output in outputs {
            self.carry_out(&mut running, output);
        }
        if running.call.is_over() {
            self.seen.keys += running.witness.keys.len() as u64;
            self.seen.packets += running.witness.packets;
            self.inboxes.remove(&running.port);
        } else {
            self.running.insert(id, running);
        }
    }

    fn carry_out(&mut self, running: &mut Running, output: Output) {
        let id = running.id;
        match output {
            Output::Ask(ticket, actor, action) => {
                self.tell(running.phone, format!("asks {action:?}"));
                let after = self.store_latency(&action);
                self.at(self.now + after, Event::Apply(id, running.phone, ticket, actor, Box::new(action)));
            }
            Output::Finish(ticket, raw) => {
                let after = Duration::from_millis(self.random.between(1, if self.is_clean { 50 } else { 3000 }));
                self.at(self.now + after, Event::Finished(id, ticket, Box::new(level::finish(&raw))));
            }
            Output::HangUp => {
                self.tell(running.phone, "is to be hung up on".into());
                report(self.now, running, true);
                self.orders_at = self.orders_at.max(self.now + Duration::from_micros(self.random.below(2000)));
                self.at(self.orders_at, Event::HangUp(id));
            }
        }
    }

    pub fn hang_up(&mut self, id: CallId) {
        let Some(dialog) = self.dialogs.get(&id).copied() else { return };
        let confirmed = self.calls[&dialog].is_confirmed;
        let _ = self.endpoint.hang_up(self.now, dialog);
        self.drain_sip();
        assert!(confirmed && !self.calls.contains_key(&dialog), "the SIP side has not hung up");
    }

    pub fn apply(&mut self, id: CallId, phone: usize, ticket: Ticket, actor: &Actor, action: &Action) {
        let refuses = !self.is_clean && self.random.below(1000) < self.refusals;
        let others = (self.calls.len() as u32).saturating_sub(1);
        let reply =
            if refuses { Reply::Refused(Refusal::TryLater) } else { self.store.apply(self.now, others, actor, action) };
        self.tell(phone, format!("the store says {reply:?} to {}", action.name()));
        let applied = Applied::new(phone, action, &reply);
        *self.seen.replies.entry(applied.to_string()).or_default() += 1;
        self.applied.push(applied);
        let after = self.reply_latency(id, ticket, action);
        self.at(self.now + after, Event::Replied(id, ticket, Box::new(reply)));
    }

    /// A reply comes clearly before its caller gives up, or clearly after that.
    fn reply_latency(&mut self, id: CallId, ticket: Ticket, action: &Action) -> Duration {
        let after = self.store_latency(action);
        let asked = self.running.get(&id).and_then(|running| running.witness.asked_at(ticket));
        let gives_up = asked.map(|asked| asked + ANSWER_MAX);
        let is_close = |at: Mono| at + UNCLEAR > self.now + after && self.now + after + UNCLEAR > at;
        match gives_up.filter(|at| is_close(*at)) {
            Some(gives_up) => (gives_up + UNCLEAR).since(self.now),
            None => after,
        }
    }

    pub fn replied(&mut self, id: CallId, ticket: Ticket, reply: Reply) {
        let now = self.now;
        self.input(id, |running| {
            running.witness.replied(ticket, &reply);
            running.call.handle_reply(now, ticket, reply);
        });
    }

    pub fn finished(&mut self, id: CallId, ticket: Option<Ticket>, take: Take) {
        let now = self.now;
        self.input_with_take(id, Some(&take.clone()), |running| running.call.handle_take(now, ticket, take));
    }
}

fn report(now: Mono, running: &mut Running, bye: bool) {
    let mut bytes = [0; REPORT_BYTES_MAX];
    let (length, to) = running.call.report(now, now.0, bye, &mut bytes);
    running.witness.reports(length > 0, to.ip());
}

fn read(body: &[u8]) -> Option<sdp::Remote> {
    sdp::read(body, &LAWS, sdp::Encryption::Off).ok()
}

fn agreed(remote: &sdp::Remote) -> Agreed {
    Agreed {
        rtp: remote.rtp,
        rtcp: remote.rtcp,
        law: remote.law,
        event_payload_type: remote.event_payload_type,
        receives: remote.receives,
        sends: remote.sends,
        security: None,
    }
}
