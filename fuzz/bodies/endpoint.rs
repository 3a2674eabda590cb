//! The whole SIP side: messages right and wrong, connections that close, time, and what the rest of the process asks.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use switchhook::model::Mono;
use switchhook::sip::{
    Account, Connect, ConnectionId, Destination, DialogKey, Endpoint, EndpointConfig, Event, Flow, ProbeId, Tables,
    Transmit, Transport,
};
use switchhook::wire::sip::MESSAGE_BYTES_MAX;

use super::bytes::Bytes;

/// Things done in one run; what is beyond is not looked at.
const STEPS_MAX: usize = 200;
const CALLS_MAX: usize = 5;
const TRANSACTIONS_MAX: usize = 40;
/// Messages that one input may be answered with.
const ANSWERS_MAX: usize = 3;
/// What an answer may have more than the request.
const ANSWER_BYTES_MORE: usize = 1024;
/// After the last input, how long something may be left.
const QUIET_WITHIN: Duration = Duration::from_secs(160);

const METHODS: [&str; 12] =
    ["INVITE", "INVITE", "INVITE", "ACK", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "REGISTER", "FOO"];
const URIS: [&str; 6] =
    ["sip:7000@192.0.2.1", "sip:7000@192.0.2.1", "sip:1@192.0.2.1", "sips:7000@h", "tel:7000", "sip:%37000@[::1];lr"];
const VIAS: [&str; 5] =
    ["UDP 192.0.2.9", "UDP 192.0.2.9:7;rport", "TCP h;received=1.2.3.4", "UDP [::1]:0", "UDP 10.0.0.1;maddr=224.0.0.1"];
const HEADERS: [&str; 20] = [
    "Contact: <sip:1004@192.0.2.9:5062>\r\n",
    "Contact: <sip:1004@192.0.2.9:5062>\r\n",
    "Contact: *\r\n",
    "Contact: <tel:7>\r\n",
    "Record-Route: <sip:192.0.2.7;lr>, <sip:proxy>\r\n",
    "Record-Route: <sip:a\r\n",
    "Require: 100rel, timer\r\n",
    "Accept: text/plain\r\n",
    "Accept: application/sdp;q=0.5, */*\r\n",
    "Content-Encoding: gzip\r\n",
    "Content-Disposition: render;handling=required\r\n",
    "Info-Package: dtmf\r\n",
    "Timestamp: 54\r\n",
    "P-Asserted-Identity: \"A\" <sip:1004@h>, <tel:+1;x=y>\r\n",
    "Max-Forwards: 0\r\n",
    "Via: SIP/2.0/UDP second;branch=z9hG4bKup\r\n",
    "Authorization: Digest username=\"bob\", realm=\"switchhook\", nonce=\"\", uri=\"sip:h\", response=\"0\"\r\n",
    "Authorization: Basic eA==\r\n",
    "Content-Type: application/sdp\r\n",
    "Content-Type: application/dtmf-relay\r\n",
];

/// The input says what comes, one thing after the other.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mut world = World::new();
    for _ in 0..STEPS_MAX {
        if bytes.is_empty() {
            break;
        }
        world.step(&mut bytes);
    }
    world.end();
}

struct World {
    endpoint: Endpoint,
    now: Mono,
    open: BTreeSet<DialogKey>,
    probes: BTreeSet<ProbeId>,
    /// Connections that the endpoint wants, and how many it got.
    wanted: Vec<Connect>,
    connections: u64,
    /// A call of before, or of now.
    last: Option<DialogKey>,
    /// The last request that the endpoint has sent.
    request: Option<Transmit>,
}

impl World {
    fn new() -> Self {
        let mut config = EndpointConfig::new(vec!["7000".to_owned()]);
        config.trusted = "192.0.2.0/24".parse().into_iter().collect();
        config.accounts = vec![Account::new("bob", "zanzibar")];
        (config.calls_max, config.transactions_max) = (CALLS_MAX, TRANSACTIONS_MAX);
        let endpoint = Endpoint::new(config, [7; 32]);
        Self {
            endpoint,
            now: Mono(1_000_000),
            open: BTreeSet::new(),
            probes: BTreeSet::new(),
            wanted: Vec::new(),
            connections: 0,
            last: None,
            request: None,
        }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.below(16) {
            0..=6 => {
                let message = self.message(bytes);
                self.handle(flow(bytes), &message);
            }
            7 => {
                let length = bytes.number(2) as usize % 2000;
                let message = bytes.take(length).to_vec();
                self.handle(flow(bytes), &message);
            }
            8 => self.respond(bytes),
            9 | 10 => self.command(bytes),
            11 => self.pass(Duration::from_millis(bytes.number(2))),
            12 => self.wake(),
            13 => match self.wanted.pop() {
                Some(connect) => self.connect(bytes, connect),
                None => self.endpoint.handle_flow_closed(self.now, ConnectionId(bytes.below(4) as u64)),
            },
            14 => self.endpoint.set_draining(bytes.flag().then(|| u32::from(bytes.byte()))),
            _ => self.probe(bytes),
        }
        self.drain(None);
    }

    fn handle(&mut self, flow: Flow, message: &[u8]) {
        self.endpoint.handle_message(self.now, flow, message);
        self.drain(Some(message.len()));
    }

    /// A request that is nearly right.
    fn message(&self, bytes: &mut Bytes<'_>) -> Vec<u8> {
        let method = bytes.pick(&METHODS);
        let (uri, via, branch) = (bytes.pick(&URIS), bytes.pick(&VIAS), bytes.below(12));
        let to_tag = match (bytes.below(4), self.last) {
            (0 | 1, _) => String::new(),
            (2, Some(dialog)) => format!(";tag={:016x}", dialog.0),
            _ => format!(";tag={}", bytes.below(3)),
        };
        let body = bytes.pick(&["", "v=0\r\n", "Signal=5\r\n", "5"]);
        let mut text = format!("{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bK{branch}\r\n");
        text += &format!("From: <sip:1004@192.0.2.9>;tag={}\r\nTo: <sip:7000@h>{to_tag}\r\n", bytes.below(2));
        text += &format!("Call-ID: {}\r\nCSeq: {} {method}\r\n", bytes.below(3), bytes.below(6));
        for _ in 0..bytes.below(4) {
            text += bytes.pick(&HEADERS);
        }
        if bytes.below(8) > 0 {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        text += "\r\n";
        let mut message = (text + body).into_bytes();
        if bytes.below(8) == 0 {
            let at = bytes.number(2) as usize % message.len();
            let put = bytes.piece();
            message.splice(at..(at + bytes.below(4)).min(message.len()), put.iter().copied());
        }
        message
    }

    /// A response to what the endpoint has asked.
    fn respond(&mut self, bytes: &mut Bytes<'_>) {
        let Some(Transmit { flow, bytes: request }) = self.request.clone() else { return };
        let text = String::from_utf8_lossy(&request).into_owned();
        let repeated = ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "];
        let mut response = format!("SIP/2.0 {} X\r\n", bytes.pick(&[200, 100, 180, 404, 481, 503, 699, 99]));
        for line in text.split_inclusive("\r\n").filter(|line| repeated.iter().any(|name| line.starts_with(name))) {
            response += line;
        }
        response += "Content-Length: 0\r\n\r\n";
        self.handle(flow, response.as_bytes());
    }

    fn command(&mut self, bytes: &mut Bytes<'_>) {
        let Some(dialog) = self.last else { return };
        let (now, is_open) = (self.now, self.open.contains(&dialog));
        let sdp = bytes.pick(&["v=0 answer", ""]).as_bytes();
        let code = bytes.pick(&[486, 404, 0, 65_535]);
        let done = match bytes.below(5) {
            0 | 1 => self.endpoint.answer(now, dialog, sdp),
            2 => self.endpoint.reject(now, dialog, code, &[("Retry-After", "10\r\nX: y")]),
            3 => self.endpoint.answer_reoffer(now, dialog, if bytes.flag() { Ok(sdp) } else { Err(code) }),
            _ => self.endpoint.hang_up(now, dialog),
        };
        assert!(is_open || done.is_err(), "a command for a call that has ended was carried out");
    }

    fn probe(&mut self, bytes: &mut Bytes<'_>) {
        let Ok(to) = Destination::parse(bytes.pick(&["sip:192.0.2.50", "sip:a@h:99;transport=tcp"])) else { return };
        if let Some(probe) = self.endpoint.probe(self.now, flow(bytes), &to) {
            assert!(self.probes.insert(probe), "a number that was given before");
        }
    }

    fn connect(&mut self, bytes: &mut Bytes<'_>, connect: Connect) {
        let callers = [[192, 0, 2, 9], [198, 51, 100, 7]].map(IpAddr::from);
        assert!(callers.contains(&connect.to.ip()), "{} has never called", connect.to);
        let local = SocketAddr::new(connect.from, 40_000);
        // Never a number that was used before.
        let transport = Transport::Tcp(ConnectionId(4 + self.connections));
        self.connections += 1;
        let flow = bytes.flag().then_some(Flow { transport, peer: connect.to, local });
        self.endpoint.handle_connected(self.now, connect, flow);
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.endpoint.handle_timeout(self.now);
    }

    fn wake(&mut self) {
        if let Some(at) = self.endpoint.poll_timeout() {
            self.now = self.now.max(at);
            self.endpoint.handle_timeout(self.now);
        }
    }

    /// `answers_to`: the length of the message that came.
    fn drain(&mut self, answers_to: Option<usize>) {
        let mut answers = 0;
        while let Some(transmit) = self.endpoint.poll_transmit() {
            check(&transmit.bytes);
            if transmit.bytes.starts_with(b"SIP/2.0 ") {
                answers += 1;
                let most = answers_to.map_or(MESSAGE_BYTES_MAX, |length| length + ANSWER_BYTES_MORE);
                assert!(transmit.bytes.len() <= most, "{} bytes to {answers_to:?}", transmit.bytes.len());
            } else {
                self.request = Some(transmit);
            }
        }
        assert!(answers_to.is_none() || answers <= ANSWERS_MAX, "{answers} answers to one message");
        while let Some(event) = self.endpoint.poll_event() {
            self.note(&event);
        }
        self.wanted.extend(std::iter::from_fn(|| self.endpoint.poll_connect()));
        while self.endpoint.poll_unused().is_some() || self.endpoint.poll_proven().is_some() {}
        let tables = self.endpoint.tables();
        assert_eq!((tables.dialogs, self.endpoint.calls()), (self.open.len(), self.open.len()));
        assert!(tables.dialogs <= CALLS_MAX, "{tables:?}");
        assert!(
            tables.server_transactions <= TRANSACTIONS_MAX && tables.client_transactions <= TRANSACTIONS_MAX,
            "{tables:?}"
        );
        assert!(tables.timers <= CALLS_MAX + 2 * TRANSACTIONS_MAX, "{tables:?}");
    }

    fn note(&mut self, event: &Event) {
        let dialog = match event {
            Event::Incoming(incoming) => {
                assert_eq!(incoming.to_user, "7000");
                assert!(self.open.insert(incoming.dialog), "a call that is there already");
                incoming.dialog
            }
            Event::Ended { dialog, .. } => {
                assert!(self.open.remove(dialog), "an end without a call");
                *dialog
            }
            Event::Probed { probe, .. } => {
                assert!(self.probes.remove(probe), "an answer to nothing");
                return;
            }
            Event::Confirmed { dialog, .. }
            | Event::Reoffered { dialog, .. }
            | Event::ReofferConfirmed { dialog, .. }
            | Event::Info { dialog, .. }
            | Event::Request { dialog } => {
                assert!(self.open.contains(dialog), "an event of a call that has ended");
                *dialog
            }
        };
        self.last = Some(dialog);
    }

    /// Once all calls are hung up nothing is left after a while.
    fn end(mut self) {
        for dialog in self.open.clone() {
            assert_eq!(self.endpoint.hang_up(self.now, dialog), Ok(()));
        }
        self.drain(None);
        for connect in std::mem::take(&mut self.wanted) {
            self.endpoint.handle_connected(self.now, connect, None);
        }
        let end = self.now + QUIET_WITHIN;
        while self.endpoint.poll_timeout().is_some_and(|at| at <= end) {
            self.wake();
            self.drain(None);
        }
        assert_eq!(self.endpoint.tables(), Tables::default(), "something is left");
        assert!(self.open.is_empty() && self.probes.is_empty() && self.endpoint.is_quiet());
    }
}

fn flow(bytes: &mut Bytes<'_>) -> Flow {
    let transport = match bytes.below(4) {
        0..=2 => Transport::Udp,
        _ => Transport::Tcp(ConnectionId(bytes.below(4) as u64)),
    };
    let host = bytes.pick(&[[192, 0, 2, 9], [192, 0, 2, 9], [192, 0, 2, 9], [198, 51, 100, 7]]);
    Flow { transport, peer: SocketAddr::from((host, 5060)), local: SocketAddr::from(([192, 0, 2, 1], 5060)) }
}

/// What is sent is one message: whole lines with a colon each, one Content-Length, and a body as long as that.
fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { panic!("no end of the headers: {text}") };
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    assert!(["SIP/2.0 ", "BYE ", "OPTIONS "].iter().any(|begin| first.starts_with(begin)), "{first}");
    let mut length = None;
    for line in lines {
        assert!(!line.contains(['\r', '\n']) && line.contains(": ") && !line.starts_with("X:"), "{line:?} in {text}");
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            assert_eq!(length.replace(value.to_owned()), None, "two lengths");
        }
    }
    assert_eq!(length, Some(body.len().to_string()), "{text}");
}
