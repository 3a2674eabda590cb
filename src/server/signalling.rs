//! The SIP side of the process: one task that drives the endpoint and knows which media thread has which call.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::mpsc::Receiver;
use zeroize::Zeroizing;

use crate::call::Call;
use crate::config::MediaAddress;
use crate::media::consent;
use crate::media::prompts::Prompts;
use crate::media::recorder::Pool;
use crate::media::session::{Agreed, Start, sequence_first};
use crate::menu::{CallerInfo, SiteName};
use crate::model::{CallId, Mono};
use crate::server::caller::Caller;
use crate::server::clock::Clock;
use crate::server::media::{Begin, Command, Thread};
use crate::server::ports::Ports;
use crate::server::probes::{Answer, Question, Questions};
use crate::server::settings::{self, Said, Settings};
use crate::server::transport::{Inbound, Transports};
use crate::server::watchdog::Sign;
use crate::sip::{Account, DialogKey, Endpoint, Event, Incoming};
use crate::wire::dtmf::info_key;
use crate::wire::sdp;

/// What a caller is told to wait when there is no room for the media of a call, in seconds.
const RETRY_AFTER_S: &str = "10";
/// Calls from which on a media thread is busy enough that another is begun.
const THREAD_CALLS_BUSY: usize = 500;
/// Messages taken from the queue at a time.
const BATCH: usize = 128;
/// After the drain's deadline, how long the BYEs are waited for: with what follows, less than 2 s.
const BYE_WITHIN: Duration = Duration::from_millis(1000);

/// What the rest of the process tells the SIP side.
pub enum Order {
    /// A call hangs up.
    HangUp(CallId),
    /// Prompts were read again: new calls use these.
    Prompts(Arc<Prompts>),
    /// Passwords were read again.
    Passwords(Vec<Account>),
    /// Ask by OPTIONS whether somebody is there.
    Ask(Box<Question>),
    /// Show that orders are carried out.
    Show(Sign),
    /// Take no new calls, wait for the present ones this long, then end them, then end.
    Drain(Duration),
    /// End at once.
    Stop,
}

/// A call, as the SIP side knows it.
struct SipCall {
    id: CallId,
    thread: Thread,
    said: Said,
    /// The sockets of a call whose offer is ours, until the answer has come with the ACK.
    waiting: Option<Waiting>,
}

struct Waiting {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    info: CallerInfo,
    caller: Arc<Caller>,
    peer: IpAddr,
}

/// The task.
pub struct Signalling {
    clock: Clock,
    settings: Settings,
    endpoint: Endpoint,
    transports: Transports,
    threads: Vec<Thread>,
    ports: Ports,
    prompts: Arc<Prompts>,
    /// The memory for recordings.
    pool: Arc<Pool>,
    site: Option<SiteName>,
    calls: HashMap<DialogKey, SipCall>,
    dialogs: HashMap<CallId, DialogKey>,
    questions: Questions,
    next_call: u64,
    /// Calls in progress, for the rest of the process.
    in_progress: Arc<AtomicU32>,
    drain: Option<Drain>,
}

/// How far the drain has come.
#[derive(Clone, Copy)]
struct Drain {
    /// Until then the present calls are waited for, or, once they are ended, their BYEs.
    by: Mono,
    has_ended_calls: bool,
}

/// What [`Signalling`] is made of.
pub struct Parts {
    /// The process's clock.
    pub clock: Clock,
    /// How calls are set up.
    pub settings: Settings,
    /// The user agent.
    pub endpoint: Endpoint,
    /// The sockets.
    pub transports: Transports,
    /// The media threads, at least one.
    pub threads: Vec<Thread>,
    /// The media ports.
    pub ports: Ports,
    /// What callers hear.
    pub prompts: Arc<Prompts>,
    /// What they hear of this site after the welcome, where there are several.
    pub site: Option<SiteName>,
    /// Calls in progress, kept up to date.
    pub in_progress: Arc<AtomicU32>,
}

impl Signalling {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let Parts { clock, settings, endpoint, transports, threads, ports, prompts, site, in_progress } = parts;
        Self {
            clock,
            settings,
            endpoint,
            transports,
            threads,
            ports,
            prompts,
            pool: Arc::default(),
            site,
            calls: HashMap::new(),
            dialogs: HashMap::new(),
            questions: Questions::default(),
            next_call: 1,
            in_progress,
            drain: None,
        }
    }

    /// Runs until it is told to stop, or has drained.
    pub async fn run(mut self, mut inbound: Receiver<Inbound>, mut orders: Receiver<Order>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let wake = self.endpoint.poll_timeout().into_iter().chain(self.drain.map(|drain| drain.by)).min();
            let wake = wake.unwrap_or(self.clock.now() + Duration::from_secs(3600));
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(order) => {
                        if self.obey(order) {
                            return;
                        }
                    }
                    None => return,
                },
                count = inbound.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    for message in batch.drain(..) {
                        self.handle_inbound(message);
                    }
                }
                () = tokio::time::sleep_until(self.clock.deadline(wake)) => {}
            }
            self.endpoint.handle_timeout(self.clock.now());
            self.drain_outputs();
            if self.has_drained() {
                return;
            }
        }
    }

    fn handle_inbound(&mut self, inbound: Inbound) {
        let now = self.clock.now();
        match inbound {
            Inbound::Message(flow, bytes, _share) => {
                tracing::trace!(peer = %flow.peer, bytes = bytes.len(), "SIP in");
                self.endpoint.handle_message(now, flow, &bytes);
            }
            Inbound::Opened(id, outbound) => self.transports.opened(id, outbound),
            Inbound::Closed(id) => {
                self.transports.closed(id);
                self.endpoint.handle_flow_closed(now, id);
            }
            Inbound::Connected(connect, flow) => self.endpoint.handle_connected(now, connect, flow),
        }
        self.drain_outputs();
    }

    fn drain_outputs(&mut self) {
        while let Some(event) = self.endpoint.poll_event() {
            self.handle_event(event);
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            tracing::trace!(peer = %transmit.flow.peer, bytes = transmit.bytes.len(), "SIP out");
            self.transports.send(transmit);
        }
        while let Some(connect) = self.endpoint.poll_connect() {
            self.transports.reach(connect);
        }
        while let Some(id) = self.endpoint.poll_proven() {
            self.transports.proven(id);
        }
        while let Some(id) = self.endpoint.poll_unused() {
            self.transports.closed(id);
        }
    }

    /// Whether this was the last order.
    fn obey(&mut self, order: Order) -> bool {
        let now = self.clock.now();
        let is_last = matches!(order, Order::Stop);
        match order {
            Order::HangUp(id) => {
                if let Some(dialog) = self.dialogs.get(&id) {
                    let _ = self.endpoint.hang_up(now, *dialog);
                }
            }
            Order::Prompts(prompts) => self.prompts = prompts,
            Order::Passwords(accounts) => self.endpoint.set_passwords(accounts),
            Order::Ask(question) => self.ask(now, *question),
            Order::Show(sign) => sign.show(),
            Order::Drain(wait) => {
                let seconds = u32::try_from(wait.as_secs().max(1)).unwrap_or(u32::MAX);
                self.endpoint.set_draining(Some(seconds));
                self.drain = Some(Drain { by: now + wait, has_ended_calls: false });
            }
            Order::Stop => self.hang_up_all(now),
        }
        self.drain_outputs();
        is_last
    }

    /// Sends a question; where there is no way or no room, whoever asks hears of it by the dropped sender.
    fn ask(&mut self, now: Mono, question: Question) {
        let Some(flow) = Questions::way(&mut self.transports, question.way) else { return };
        if let Some(probe) = self.endpoint.probe(now, flow, &question.to) {
            self.questions.sent(probe, flow, question.answer);
        }
    }

    /// Whether draining is done; at its deadline the calls that are left are ended.
    fn has_drained(&mut self) -> bool {
        let Some(drain) = self.drain else { return false };
        if self.endpoint.is_quiet() {
            return true;
        }
        let now = self.clock.now();
        if now < drain.by {
            return false;
        }
        // A call that nobody has acknowledged gets no BYE yet, and is not waited for.
        if self.calls.is_empty() || drain.has_ended_calls {
            return true;
        }
        tracing::warn!(calls = self.calls.len(), "the drain's time is up: the calls are ended");
        self.hang_up_all(now);
        self.drain_outputs();
        self.drain = Some(Drain { by: now + BYE_WITHIN, has_ended_calls: true });
        false
    }

    /// Ends all calls, with a BYE where one may be sent now.
    fn hang_up_all(&mut self, now: Mono) {
        for (dialog, call) in &self.calls {
            let _ = self.endpoint.hang_up(now, *dialog);
            // Where the ACK is still missing, `Ended` may come too late.
            call.thread.tell(Command::HungUp(call.id));
        }
    }

    fn handle_event(&mut self, event: Event) {
        let now = self.clock.now();
        match event {
            Event::Incoming(incoming) => self.handle_incoming(now, &incoming),
            Event::Confirmed { dialog, answer } => self.handle_confirmed(now, dialog, answer.as_deref()),
            Event::Reoffered { dialog, offer } => self.handle_reoffer(now, dialog, offer.as_deref()),
            Event::ReofferConfirmed { dialog, answer } => self.handle_reoffer_confirmed(dialog, answer.as_deref()),
            Event::Info { dialog, content_type, body } => {
                let Some(call) = self.calls.get(&dialog) else { return };
                call.thread.tell(match info_key(&content_type, &body) {
                    Some(key) => Command::Info(call.id, Box::new(Zeroizing::new(key))),
                    None => Command::Request(call.id),
                });
            }
            Event::Request { dialog } => {
                if let Some(call) = self.calls.get(&dialog) {
                    call.thread.tell(Command::Request(call.id));
                }
            }
            Event::Ended { dialog, why } => {
                let Some(call) = self.calls.remove(&dialog) else { return };
                tracing::info!(call = call.id.0, ?why, "call ended");
                self.dialogs.remove(&call.id);
                self.ports.release(now, call.said.local.rtp.port());
                self.count();
                if !call.thread.tell(Command::HungUp(call.id)) {
                    tracing::error!(
                        call = call.id.0,
                        "a media thread has too much to do and was not told of a hang-up"
                    );
                }
            }
            Event::Probed { probe, answer, round_trip } => {
                self.questions.answered(&mut self.transports, probe, Answer { code: answer, round_trip });
            }
        }
    }

    fn handle_incoming(&mut self, now: Mono, incoming: &Incoming) {
        let dialog = incoming.dialog;
        let outcome = self.set_up(now, incoming);
        let refused = match outcome {
            Ok(()) => return,
            Err(code) => code,
        };
        tracing::info!(peer = %incoming.flow.peer, code = refused, "call refused");
        let headers: &[(&'static str, &str)] = if refused == 503 { &[("Retry-After", RETRY_AFTER_S)] } else { &[] };
        let _ = self.endpoint.reject(now, dialog, refused, headers);
    }

    /// Answers a call, or says with which code it is to be rejected.
    fn set_up(&mut self, now: Mono, incoming: &Incoming) -> Result<(), u16> {
        let peer = incoming.flow.peer;
        let (named, bound) = self.media_addresses(incoming.flow.local.ip().to_canonical());
        let remote = incoming.offer.as_deref().map(|offer| self.settings.read_offer(offer, named)).transpose()?;
        if remote.as_ref().is_some_and(|remote| !consent::is_for(peer.ip(), remote.rtp.ip())) {
            return Err(488);
        }
        let (rtp, rtcp) = bound.into_iter().find_map(|ip| self.ports.bind(now, ip)).ok_or(503u16)?;
        let port = rtp.local_addr().map_err(|_| 503u16)?.port();
        let local =
            sdp::Local { rtp: SocketAddr::new(named, port), session: dialog_session(incoming.dialog), version: 1 };
        let thread = self.thread().ok_or(503u16)?;
        let id = CallId(self.next_call);
        let caller = Arc::new(Caller::of(incoming));
        let info = CallerInfo {
            extension: caller.extension.clone(),
            site: self.site.clone(),
            language: self.prompts.default_language(),
            languages: self.prompts.languages(),
        };
        let mut call = SipCall { id, thread, said: Said::new(local), waiting: None };
        let waiting = Waiting { rtp, rtcp, info, caller, peer: peer.ip() };
        let is_private = incoming.flow.transport.is_secure();
        let text = match &remote {
            Some(remote) => {
                let (keys, text) = call.said.answer(remote, is_private)?;
                if !self.begin(now, &call, settings::agreed(remote, keys), waiting) {
                    return Err(503);
                }
                text
            }
            None => {
                call.waiting = Some(waiting);
                self.settings.offer(&mut call.said, is_private)?
            }
        };
        self.next_call += 1;
        tracing::info!(call = id.0, %peer, media_port = port, "call answered");
        self.calls.insert(incoming.dialog, call);
        self.dialogs.insert(id, incoming.dialog);
        self.count();
        // It can only have ended meanwhile, and then `Ended` follows.
        let _ = self.endpoint.answer(now, incoming.dialog, text.as_bytes());
        Ok(())
    }

    /// The first thread that is not yet busy, else the one with the fewest calls: a wake-up serves many calls as well as one.
    fn thread(&self) -> Option<Thread> {
        let free = self.threads.iter().find(|thread| thread.calls() < THREAD_CALLS_BUSY);
        free.or_else(|| self.threads.iter().min_by_key(|thread| thread.calls())).cloned()
    }

    /// Hands the call to its media thread; `false` where that has too much to do.
    fn begin(&self, now: Mono, call: &SipCall, agreed: Agreed, waiting: Waiting) -> bool {
        let Some(start) = self.start() else { return false };
        let Waiting { rtp, rtcp, info, caller, peer } = waiting;
        let limits = Arc::clone(&self.settings.limits);
        let machine = Call::new(now, agreed, start, info, Arc::clone(&self.prompts), limits);
        let machine = machine.called_from(peer).recorded_in(Arc::clone(&self.pool));
        call.thread.tell(Command::Begin(Box::new(Begin { id: call.id, caller, call: machine, rtp, rtcp })))
    }

    /// Where our stream begins, at random.
    fn start(&self) -> Option<Start> {
        let mut random = [0; 10];
        getrandom::fill(&mut random).ok()?;
        let [a, b, c, d, e, f, g, h, i, j] = random;
        Some(Start {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            sequence: sequence_first(u16::from_be_bytes([e, f])),
            timestamp: u32::from_be_bytes([g, h, i, j]),
            keys_by: self.settings.keys_by,
        })
    }

    /// The address that the SDP names, and those to bind to, best first.
    fn media_addresses(&self, local: IpAddr) -> (IpAddr, Vec<IpAddr>) {
        match self.settings.media_address {
            MediaAddress::Auto => (local, vec![local]),
            // An address that is not this host's is the one in front of a NAT.
            MediaAddress::Fixed(named) => {
                let any = if named.is_ipv4() { IpAddr::from([0u8; 4]) } else { IpAddr::from([0u16; 8]) };
                (named, vec![named, any])
            }
        }
    }

    fn handle_confirmed(&mut self, now: Mono, dialog: DialogKey, answer: Option<&[u8]>) {
        let is_private = self.is_private(dialog);
        let Some(call) = self.calls.get_mut(&dialog) else { return };
        if let Some(waiting) = call.waiting.take() {
            let answered = answer.and_then(|answer| self.settings.answered(answer, &mut call.said, is_private));
            let Some(call) = self.calls.get(&dialog) else { return };
            if !answered.is_some_and(|agreed| self.begin(now, call, agreed, waiting)) {
                tracing::info!(call = call.id.0, "the ACK had no usable answer to our offer");
                let _ = self.endpoint.hang_up(now, dialog);
                return;
            }
        }
        if let Some(call) = self.calls.get(&dialog) {
            call.thread.tell(Command::Confirmed(call.id));
        }
    }

    fn handle_reoffer(&mut self, now: Mono, dialog: DialogKey, offer: Option<&[u8]>) {
        let is_private = self.is_private(dialog);
        let Some(call) = self.calls.get_mut(&dialog) else { return };
        call.said.local.version += 1;
        let answer = match offer {
            Some(offer) => {
                let answer = self.settings.answer(offer, &mut call.said, is_private);
                answer.map(|(agreed, answer)| {
                    call.thread.tell(Command::Renegotiated(call.id, agreed));
                    answer
                })
            }
            None => self.settings.offer(&mut call.said, is_private),
        };
        let _ = self.endpoint.answer_reoffer(now, dialog, answer.as_ref().map(String::as_bytes).map_err(|code| *code));
    }

    fn handle_reoffer_confirmed(&mut self, dialog: DialogKey, answer: Option<&[u8]>) {
        let is_private = self.is_private(dialog);
        let Some(call) = self.calls.get_mut(&dialog) else { return };
        if let Some(agreed) = answer.and_then(|answer| self.settings.answered(answer, &mut call.said, is_private)) {
            call.thread.tell(Command::Renegotiated(call.id, agreed));
        }
    }

    /// Whether the call's last request came by TLS.
    fn is_private(&self, dialog: DialogKey) -> bool {
        self.endpoint.flow(dialog).is_some_and(|flow| flow.transport.is_secure())
    }

    fn count(&self) {
        self.in_progress.store(u32::try_from(self.calls.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

/// The number in the `o=` line: made of the dialog's, which is random, so that it can't be told from it (descriptions
/// travel further than tags do).
fn dialog_session(dialog: DialogKey) -> u64 {
    let hash = Sha256::digest(dialog.0.to_be_bytes());
    hash.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte)) >> 1
}
