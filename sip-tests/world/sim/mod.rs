//! A world: one phone system, a few callers, the links between them, a store, and a clock that is moved by hand.

pub mod ear;
pub mod handset;
pub mod ledger;
pub mod link;
pub mod phone;
pub mod random;
pub mod rivals;
pub mod script;
pub mod signals;
pub mod switch;
pub mod voice;
pub mod witness;

mod draw;
mod ends;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use switchhook::access::{Action, Actor, Reply};
use switchhook::call::CallLimits;
use switchhook::model::{CallId, Mono, Take, Ticket};
use switchhook::sip::{ConnectionId, DialogKey, Endpoint, Flow, Transport};
use switchhook::wire::sip::{Framing, Message, decode};

use ledger::{Ledger, Slot, Value};
use link::Link;
use phone::{Phone, State};
use random::Random;
use rivals::{Applied, Rivalry};
use switch::{Command, Running, SipCall};
use witness::Datagram;

/// After this everything is over, whatever was drawn: the longest call, its timers, and a margin.
const WORLD_MAX: Duration = Duration::from_secs(2400);
/// Copies of a request to which nobody answers: at 0, 0.5, 1.5, 3.5 and 7.5 s, then every 4 s until 32 s (Timer E).
const BYES_UNANSWERED: u32 = 11;
const TICK: Duration = Duration::from_millis(20);

/// What is going to happen.
pub enum Event {
    SipToSwitch(usize, ConnectionId, Rc<[u8]>),
    SipToPhone(usize, ConnectionId, Rc<[u8]>),
    /// A phone's 20 ms.
    Tick(usize),
    /// A call's 20 ms.
    Frame(CallId),
    Command(CallId, Command),
    HangUp(CallId),
    Apply(CallId, usize, Ticket, Actor, Box<Action>),
    Replied(CallId, Ticket, Box<Reply>),
    Finished(CallId, Option<Ticket>, Box<Take>),
    /// A phone's connection is closed.
    Close(usize),
    Fault(Fault),
    /// What waits outside calls is looked at: reboots.
    Work,
}

/// Something that goes wrong for the callers: somebody with a shell does it.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The account of that extension loses its roles.
    RolesGone(&'static str),
    /// It is disabled.
    Disabled(&'static str),
    /// It is enabled again.
    Enabled(&'static str),
}

/// A phone and its links.
pub struct Site {
    pub phone: Phone,
    /// Where it is, by SIP.
    pub address: SocketAddr,
    /// Its connection, by number; all the same for UDP.
    connection: ConnectionId,
    sip_up: Link,
    sip_down: Link,
    rtp_up: Link,
    rtp_down: Link,
    /// What has come and was not heard yet.
    inbox: Vec<(Mono, Vec<u8>)>,
    is_asleep: bool,
}

/// A request of a phone, as the wire saw it.
#[derive(Default)]
struct Audit {
    delivered: u32,
    answered: u32,
}

/// What has happened in a world, so that a test can tell that anything did.
#[derive(Default)]
pub struct Seen {
    pub keys: u64,
    pub packets: u64,
    pub offers_within: u64,
    pub satisfied: u64,
    pub replies: BTreeMap<String, u64>,
    pub ends: BTreeMap<String, u64>,
    pub places: BTreeSet<&'static str>,
    /// How often which of two rivals came first.
    pub first: BTreeMap<&'static str, [u64; 2]>,
    pub virtual_s: u64,
}

/// The transcript; it outlives a world that has panicked.
pub type Story = Arc<Mutex<Vec<String>>>;

pub struct World {
    pub is_clean: bool,
    /// What the callers are rivals about.
    rivalry: Option<&'static Rivalry>,
    /// What the store was asked, in order.
    applied: Vec<Applied>,
    pub seen: Seen,
    now: Mono,
    random: Random,
    story: Story,
    events: BTreeMap<(Mono, u64), Event>,
    next_event: u64,
    endpoint: Endpoint,
    limits: Arc<CallLimits>,
    calls: HashMap<DialogKey, SipCall>,
    dialogs: HashMap<CallId, DialogKey>,
    next_call: u64,
    running: BTreeMap<CallId, Running>,
    inboxes: HashMap<u16, Vec<Datagram>>,
    phones: Vec<Site>,
    store: Ledger,
    /// Replies that are TryLater, in a thousand.
    refusals: u64,
    is_slow: bool,
    commands_at: Mono,
    orders_at: Mono,
    audits: HashMap<(String, String), Audit>,
    infos_delivered: HashMap<String, u32>,
    info_press: Option<usize>,
    /// Calls that were ended with a BYE, how often it was sent over UDP or at all, and whose was answered.
    byes_due: Vec<String>,
    byes_sent: HashMap<String, u32>,
    byes_answered: BTreeSet<String>,
    closed: BTreeSet<ConnectionId>,
}

impl World {
    /// Runs until nothing is left to happen, and checks that nothing is left.
    pub fn run(&mut self) {
        loop {
            let next = self.events.first_key_value().map(|((at, _), _)| *at);
            let wake = self.endpoint.poll_timeout();
            match (wake, next) {
                (Some(wake), next) if next.is_none_or(|next| wake <= next) => {
                    self.now = self.now.max(wake);
                    self.endpoint.handle_timeout(self.now);
                    self.drain_sip();
                }
                (_, Some(_)) => {
                    let Some(((at, _), event)) = self.events.pop_first() else { break };
                    self.now = at;
                    self.happen(event);
                }
                (_, None) => break,
            }
            assert!(self.now < Mono(0) + WORLD_MAX, "it does not end");
        }
        self.check_end();
        self.seen.virtual_s = self.now.0 / 1_000_000;
    }

    /// Puts an event onto the clock.
    fn at(&mut self, at: Mono, event: Event) {
        self.next_event += 1;
        self.events.insert((at, self.next_event), event);
    }

    fn tell(&self, phone: usize, what: String) {
        self.note(format!("caller {phone}: {what}"));
    }

    fn note(&self, what: String) {
        let line = format!("{:>9.3} {what}", self.now.0 as f64 / 1e6);
        self.story.lock().expect("the story").push(line);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::SipToSwitch(phone, connection, bytes) => self.deliver_to_switch(phone, connection, &bytes),
            Event::SipToPhone(phone, connection, bytes) => self.deliver_to_phone(phone, connection, &bytes),
            Event::Tick(phone) => self.tick(phone),
            Event::Frame(id) => self.frame(id),
            Event::Command(id, command) => self.obey(id, command),
            Event::HangUp(id) => self.hang_up(id),
            Event::Apply(id, phone, ticket, actor, action) => self.apply(id, phone, ticket, &actor, &action),
            Event::Replied(id, ticket, reply) => self.replied(id, ticket, *reply),
            Event::Finished(id, ticket, take) => self.finished(id, ticket, *take),
            Event::Close(phone) => self.close(phone),
            Event::Fault(fault) => self.fault(fault),
            Event::Work => {
                self.store.work(self.now, self.calls.len());
                let waits = self.store.is_working() || self.phones.iter().any(|site| !site.phone.is_done());
                if waits || !self.calls.is_empty() || !self.running.is_empty() {
                    self.at(self.now + Duration::from_millis(500), Event::Work);
                }
            }
        }
    }

    fn tick(&mut self, number: usize) {
        let now = self.now;
        let site = &mut self.phones[number];
        site.inbox.sort_by_key(|(at, _)| *at);
        let due = site.inbox.iter().take_while(|(at, _)| *at <= now).count();
        for (_, bytes) in site.inbox.drain(..due) {
            site.phone.hear(now, &bytes);
        }
        let mut out = Vec::new();
        site.phone.tick(now, &mut out);
        let remote = site.phone.remote;
        for sent in out {
            let copies = site.rtp_up.carry(now);
            let press = sent.press.map(|press| (press, site.phone.handset.presses[press]));
            let Some(inbox) = remote.and_then(|to| self.inboxes.get_mut(&to.port())) else { continue };
            for at in copies.into_iter().flatten() {
                let (from, bytes) = (site.phone.rtp, sent.bytes.clone());
                inbox.push(Datagram { at, from, bytes, press });
            }
        }
        self.collect(number);
        let phone = &self.phones[number].phone;
        if phone.is_done() {
            self.phones[number].is_asleep = true;
            return;
        }
        let pause = if phone.state == State::Up { TICK } else { TICK * 5 };
        self.at(now + pause, Event::Tick(number));
    }

    /// Takes what a phone has to say: to the switch, and to the transcript.
    fn collect(&mut self, number: usize) {
        let now = self.now;
        let site = &mut self.phones[number];
        let connection = site.connection;
        let lines = std::mem::take(&mut site.phone.story);
        for message in std::mem::take(&mut site.phone.signals.out) {
            let bytes: Rc<[u8]> = message.into();
            for at in self.phones[number].sip_up.carry(now).into_iter().flatten() {
                self.at(at, Event::SipToSwitch(number, connection, Rc::clone(&bytes)));
            }
        }
        for line in lines {
            self.tell(number, line);
        }
        // One that has slept has something to wait for again.
        if self.phones[number].is_asleep && !self.phones[number].phone.is_done() {
            self.phones[number].is_asleep = false;
            self.at(now + TICK, Event::Tick(number));
        }
    }

    fn flow(&self, phone: usize, connection: ConnectionId) -> Flow {
        let is_reliable = self.phones[phone].phone.signals.is_reliable;
        let transport = if is_reliable { Transport::Tcp(connection) } else { Transport::Udp };
        let local = signals::SWITCH.parse().expect("an address");
        Flow { transport, peer: self.phones[phone].address, local }
    }

    fn deliver_to_switch(&mut self, phone: usize, connection: ConnectionId, bytes: &[u8]) {
        if self.closed.contains(&connection) {
            return;
        }
        let flow = self.flow(phone, connection);
        let framing = if flow.transport.is_reliable() { Framing::Stream } else { Framing::Datagram };
        match decode(bytes, framing).expect("a phone sends SIP") {
            Message::Request(request) => self.audit(phone, &request),
            Message::Response(response) => {
                self.byes_answered.insert(response.head.call_id().to_owned());
            }
        }
        self.endpoint.handle_message(self.now, flow, bytes);
        self.drain_sip();
    }

    /// Notes that a request has come, and whether it is the first INFO of a key within a call.
    fn audit(&mut self, phone: usize, request: &switchhook::wire::sip::Request) {
        let (branch, method) = (request.head.via.branch().unwrap_or_default(), request.method.as_str());
        let audit = self.audits.entry((branch.to_owned(), method.to_owned())).or_default();
        audit.delivered += 1;
        let call_id = request.head.call_id();
        let is_up = self.calls.values().any(|call| call.call_id == call_id);
        if method == "INFO" && audit.delivered == 1 && is_up {
            *self.infos_delivered.entry(call_id.to_owned()).or_default() += 1;
            let infos = &self.phones[phone].phone.infos;
            self.info_press = infos.iter().find(|(of, _)| of == branch).map(|(_, press)| *press);
        }
    }

    fn deliver_to_phone(&mut self, phone: usize, connection: ConnectionId, bytes: &[u8]) {
        if !self.closed.contains(&connection) {
            self.phones[phone].phone.handle_sip(self.now, bytes);
            self.collect(phone);
        }
    }

    fn drain_sip(&mut self) {
        while let Some(event) = self.endpoint.poll_event() {
            self.handle_sip_event(event);
        }
        // A phone takes what is opened to it, as the one that it will use itself from now on.
        while let Some(connect) = self.endpoint.poll_connect() {
            let site = &self.phones[self.phone_at(connect.to)];
            let (transport, local) = (Transport::Tcp(site.connection), SocketAddr::new(connect.from, 5060));
            let flow = Flow { transport, peer: site.address, local };
            self.endpoint.handle_connected(self.now, connect, Some(flow));
        }
        while self.endpoint.poll_unused().is_some() {}
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.send_to_phone(transmit.flow, &transmit.bytes);
        }
        assert_eq!(self.endpoint.calls(), self.calls.len());
    }

    fn send_to_phone(&mut self, flow: Flow, bytes: &[u8]) {
        let phone = self.phone_at(flow.peer);
        let framing = if flow.transport.is_reliable() { Framing::Stream } else { Framing::Datagram };
        match decode(bytes, framing).expect("what is sent is SIP") {
            Message::Request(request) => {
                assert_eq!(request.method.as_str(), "BYE");
                *self.byes_sent.entry(request.head.call_id().to_owned()).or_default() += 1;
            }
            Message::Response(response) if response.code >= 200 => {
                let branch = response.head.via.branch().unwrap_or_default().to_owned();
                let method = response.head.cseq.method.as_str().to_owned();
                self.audits.get_mut(&(branch, method)).expect("a response to a request that came").answered += 1;
            }
            Message::Response(_) => {}
        }
        let connection = flow.transport.connection().unwrap_or(self.phones[phone].connection);
        let bytes: Rc<[u8]> = bytes.into();
        for at in self.phones[phone].sip_down.carry(self.now).into_iter().flatten() {
            self.at(at, Event::SipToPhone(phone, connection, Rc::clone(&bytes)));
        }
    }

    fn phone_at(&self, address: SocketAddr) -> usize {
        self.phones.iter().position(|site| site.address == address).expect("a phone's address")
    }

    fn carry_to_phone(&mut self, packet: &[u8], to: SocketAddr) {
        let now = self.now;
        // A private address leads nowhere.
        let Some(site) = self.phones.iter_mut().find(|site| site.phone.rtp == to) else { return };
        for at in site.rtp_down.carry(now).into_iter().flatten() {
            if !site.phone.is_done() {
                site.inbox.push((at, packet.to_vec()));
            }
        }
    }

    /// What nobody waits for may take longest.
    fn store_latency(&mut self, action: &Action) -> Duration {
        let is_told = matches!(action, Action::NoteDenied { .. } | Action::NewsHeard);
        let ms = match (self.is_slow, self.random.below(10)) {
            _ if is_told => self.random.between(1, 5000),
            (true, 0..4) if self.is_clean => self.random.between(100, 1500),
            (true, 0..4) => self.random.between(100, 6000),
            _ => self.random.between(1, 90),
        };
        Duration::from_millis(ms)
    }

    /// The phone opens another connection for what it sends next.
    fn close(&mut self, phone: usize) {
        let old = self.phones[phone].connection;
        self.tell(phone, "loses its connection".into());
        self.closed.insert(old);
        self.phones[phone].connection = ConnectionId(old.0 + 100);
        self.endpoint.handle_flow_closed(self.now, old);
        self.drain_sip();
    }

    fn fault(&mut self, fault: Fault) {
        self.note(format!("{fault:?}"));
        let (Fault::RolesGone(who) | Fault::Disabled(who) | Fault::Enabled(who)) = fault;
        // Someone else may have deleted the account.
        let Some(id) = self.store.find(who).map(|account| account.id) else { return };
        let (action, edits) = match fault {
            Fault::RolesGone(_) => {
                let roles = self.store.roles(id).into_iter();
                ("role.removed", roles.map(|role| (Slot::Role(id, role), Value::Nothing)).collect())
            }
            Fault::Disabled(_) => ("user.disabled", vec![(Slot::Disabled(id), Value::On)]),
            Fault::Enabled(_) => ("user.enabled", vec![(Slot::Disabled(id), Value::Nothing)]),
        };
        self.store.by_shell(action, edits);
    }
}
