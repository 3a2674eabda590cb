//! The endpoint: every transaction and dialog of the process, in bounded tables.

mod command;
mod lost;
mod outside;
mod probe;
mod table;
mod within;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::auth::Guard;
use super::content;
use super::dialog::{self, Dialog};
use super::key::{MergeKey, TransactionKey};
use super::random::Random;
use super::response::{self, Refusal};
use super::timer::{Target, Timers};
use super::{
    Connect, ConnectionId, Destination, DialogKey, EndReason, EndpointConfig, Event, Flow, Incoming, ProbeId,
    RETRY_AFTER_FULL_S, Tables, Transmit, Transport,
};
use crate::model::Mono;
use crate::wire::sip::{Echo, Framing, Message, Method, Reject, Request, Response, Via, decode};
use lost::Line;
use table::{Client, Purpose, Server};

/// The user agent: messages, commands and time in, datagrams and events out.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    random: Random,
    guard: Guard,
    /// Retry-After of the 503 that new calls get, in seconds, while draining.
    draining: Option<u32>,
    /// In boxes, as finished ones are many and a table is never full.
    servers: HashMap<TransactionKey, Box<Server>>,
    /// Bytes of responses that they keep.
    kept_bytes: usize,
    merges: HashMap<MergeKey, TransactionKey>,
    clients: HashMap<u64, Client>,
    dialogs: HashMap<DialogKey, Dialog>,
    /// Who is over when a connection is closed.
    connections: BTreeSet<(ConnectionId, Target)>,
    /// Connections of ours, for BYEs whose callers' are gone.
    lines: BTreeMap<Connect, Line>,
    connects: VecDeque<Connect>,
    unused: VecDeque<ConnectionId>,
    proven: VecDeque<ConnectionId>,
    timers: Timers,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

impl Endpoint {
    /// An endpoint without calls; `seed` is to come from the system's random source.
    pub fn new(config: EndpointConfig, seed: [u8; 32]) -> Self {
        let guard = Guard::new(&config, &seed);
        Self {
            config,
            random: Random::new(seed),
            guard,
            draining: None,
            servers: HashMap::new(),
            kept_bytes: 0,
            merges: HashMap::new(),
            clients: HashMap::new(),
            dialogs: HashMap::new(),
            connections: BTreeSet::new(),
            lines: BTreeMap::new(),
            connects: VecDeque::new(),
            unused: VecDeque::new(),
            proven: VecDeque::new(),
            timers: Timers::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes one datagram, or one message that [`crate::wire::sip::Framer`] has cut from a stream. Keep-alives are
    /// ignored, what is malformed is answered where an answer is possible.
    pub fn handle_message(&mut self, now: Mono, flow: Flow, bytes: &[u8]) {
        if bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return;
        }
        let framing = match flow.transport {
            Transport::Udp => Framing::Datagram,
            Transport::Tcp(_) | Transport::Tls(_) => Framing::Stream,
        };
        match decode(bytes, framing) {
            Ok(Message::Request(request)) => self.handle_request(now, flow, request),
            Ok(Message::Response(response)) => self.handle_response(now, &response),
            Err(reject) => self.handle_reject(now, flow, reject),
        }
    }

    /// The connection is closed: calls on it that are not up yet are over; the others wait for their caller to come back
    /// on another one, and a BYE without an answer goes by another one.
    pub fn handle_flow_closed(&mut self, now: Mono, connection: ConnectionId) {
        self.lines.retain(|_, line| !line.is_on(connection));
        let users: Vec<Target> = self
            .connections
            .range((connection, Target::FIRST)..)
            .take_while(|(other, _)| *other == connection)
            .map(|(_, target)| *target)
            .collect();
        for user in users {
            self.connections.remove(&(connection, user));
            match user {
                Target::Dialog(key) => self.dialog_flow_closed(now, key),
                Target::Client(branch) => self.client_flow_closed(now, branch),
                Target::Server(_) => {}
            }
        }
    }

    /// Does all that is due.
    pub fn handle_timeout(&mut self, now: Mono) {
        while let Some(target) = self.timers.pop_due(now) {
            match target {
                Target::Server(key) => self.server_timeout(now, key),
                Target::Client(branch) => self.client_timeout(now, branch),
                Target::Dialog(key) => self.dialog_timeout(now, key),
            }
        }
    }

    /// The next message to be sent.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next connection on which a stranger was let in: by a password, or by the tags of a call that is theirs. The same
    /// one may come again.
    pub fn poll_proven(&mut self) -> Option<ConnectionId> {
        self.proven.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next; `None` while nothing is going on.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.timers.next()
    }

    /// How many calls have not ended.
    pub fn calls(&self) -> usize {
        self.dialogs.len()
    }

    /// Whether no call is left and no BYE of ours waits for its response or a connection, so that the process may end.
    pub fn is_quiet(&self) -> bool {
        let waits = |client: &Client| matches!(client.purpose, Purpose::Bye { .. }) && client.machine.is_waiting();
        self.dialogs.is_empty() && self.waiting_byes() == 0 && !self.clients.values().any(waits)
    }

    /// The way that the last request of a call came; `None` where the call has ended.
    pub fn flow(&self, dialog: DialogKey) -> Option<Flow> {
        Some(self.dialogs.get(&dialog)?.flow)
    }

    /// How full the tables are.
    pub fn tables(&self) -> Tables {
        Tables {
            dialogs: self.dialogs.len(),
            server_transactions: self.servers.len(),
            client_transactions: self.clients.len() + self.waiting_byes(),
            timers: self.timers.len(),
        }
    }

    /// Answers what could not be decoded, without remembering it (RFC 3261 section 8.2.7).
    fn handle_reject(&mut self, now: Mono, flow: Flow, reject: Reject) {
        tracing::debug!(peer = %flow.peer, code = reject.code, why = reject.why, "malformed message");
        let Some(mut echo) = reject.echo else { return };
        if !self.guard.admits_malformed(now, flow) {
            return;
        }
        let mut reply = flow;
        if let Some((first, via)) = echo.vias.first_mut().and_then(|text| Via::parse(text).ok().map(|via| (text, via)))
        {
            *first = via.stamped(flow.peer);
            reply = reply_flow(flow, &via);
        }
        let tag = self.stateless_tag(&echo);
        let has_tag = echo.to.contains(";tag=");
        let refusal = Refusal::plain(reject.code);
        let bytes = response::refusal(&refusal, &echo, (!has_tag).then_some(&tag), &self.config.server_name);
        self.transmits.push_back(Transmit { flow: reply, bytes: bytes.into() });
    }

    fn handle_request(&mut self, now: Mono, flow: Flow, mut request: Request) {
        tracing::trace!(peer = %flow.peer, method = %request.method, call_id = request.head.call_id(), "request");
        let key = TransactionKey::of(&self.random, &request);
        let invite = TransactionKey::cancelled_by(&self.random, &request);
        if let Some(first) = request.head.echo.vias.first_mut() {
            *first = request.head.via.stamped(flow.peer);
        }
        if request.method == Method::Ack {
            self.handle_ack(now, flow, key, request);
        } else if self.servers.contains_key(&key) {
            self.handle_retransmission(now, key);
        } else if !self.belongs_to_a_call(invite, &request) && !self.guard.admits(now, flow, &request) {
            self.over_the_limit(now, flow, &request);
        } else if request.method == Method::Cancel {
            self.handle_cancel(now, flow, key, invite, &request);
        } else if request.head.to.tag().is_some() {
            // A tag of ours is 64 random bits that only the parties of an admitted call know.
            match content::check_line(&request, flow.transport) {
                Ok(()) => self.handle_within(now, flow, key, request),
                Err(refusal) => self.refuse_stray(now, flow, key, &request, &refusal),
            }
        } else if let Err(challenge) = self.guard.check(now, flow.peer.ip(), &request, &self.random) {
            self.refuse_statelessly(flow, &request, &challenge);
        } else {
            self.note_proven(flow);
            match content::check_line(&request, flow.transport) {
                Ok(()) => self.handle_outside(now, flow, key, request),
                Err(refusal) => self.refuse(now, flow, key, None, &request, &refusal),
            }
        }
    }

    /// Something was let in that came this way. Trusted peers need not prove anything.
    fn note_proven(&mut self, flow: Flow) {
        if let Some(connection) = flow.transport.connection().filter(|_| !self.guard.trusts(flow.peer.ip())) {
            self.proven.push_back(connection);
        }
    }

    /// Whether only the parties of a call that is there can have sent it: they know our tag, or the branch of an INVITE
    /// that was let in.
    fn belongs_to_a_call(&self, invite: TransactionKey, request: &Request) -> bool {
        self.dialog_of(request).is_some() || request.method == Method::Cancel && self.servers.contains_key(&invite)
    }

    /// A caller is told that we are busy, for as long as there is a budget for that; all else is left without an answer,
    /// which somebody else would get where the address is forged.
    fn over_the_limit(&mut self, now: Mono, flow: Flow, request: &Request) {
        tracing::debug!(peer = %flow.peer, "over the limit of strangers");
        if request.method == Method::Invite && self.guard.may_refuse(now) {
            let full = Refusal::with(503, "Retry-After", RETRY_AFTER_FULL_S.to_string());
            self.refuse_statelessly(flow, request, &full);
        }
    }

    /// A response that fits no transaction of ours is dropped (RFC 3261 section 18.1.2).
    fn handle_response(&mut self, now: Mono, response: &Response) {
        let branch = response.head.via.branch().and_then(|branch| branch.strip_prefix(crate::wire::sip::COOKIE));
        let Some(branch) = branch.and_then(dialog::key_of).map(|number| number.0) else { return };
        let Some(client) = self.clients.get_mut(&branch) else { return };
        if response.head.cseq.method != client.purpose.method() {
            return;
        }
        if client.machine.handle_response(now, response.code) {
            self.probe_answered(now, branch, response.code);
        }
        self.settle_client(branch);
    }

    /// A response of ours to a request that makes no dialog: the same tag each time the request comes.
    fn stateless_tag(&self, echo: &Echo) -> String {
        let via = echo.vias.first().map_or("", String::as_str);
        format!("{:016x}", self.random.hash(&["tag", via, &echo.from, &echo.call_id, &echo.cseq]))
    }

    /// What Contact and Via name us by: `host:port`.
    fn own_host(&self, flow: &Flow) -> String {
        let same_family = |ip: &std::net::IpAddr| ip.is_ipv4() == flow.local.ip().to_canonical().is_ipv4();
        let ip = self.config.address.filter(same_family).unwrap_or(flow.local.ip().to_canonical());
        std::net::SocketAddr::new(ip, flow.local.port()).to_string()
    }

    fn push_ended(&mut self, dialog: DialogKey, why: EndReason) {
        self.events.push_back(Event::Ended { dialog, why });
    }
}

/// Where the response to a request goes.
fn reply_flow(flow: Flow, via: &Via) -> Flow {
    match flow.transport {
        Transport::Udp => Flow { peer: via.response_address(flow.peer), ..flow },
        Transport::Tcp(_) | Transport::Tls(_) => flow,
    }
}
