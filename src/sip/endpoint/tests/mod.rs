//! A caller's side of the wire: messages as text in, messages as text and events out, on a clock of its own.

mod calls;
mod challenges;
mod dialogs;
mod floods;
mod ipv6;
mod limits;
mod lost;
mod order;
mod passwords;
mod probes;
mod requests;
mod routing;

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::sip::EndpointConfig;
use crate::sip::auth::tests::shows;
use crate::wire::sip::{Algorithm, Body};

const OFFER: &str = "v=0 offer";
const ANSWER: &str = "v=0 answer";

fn udp(peer: &str) -> Flow {
    let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
    Flow { transport: Transport::Udp, peer: address(peer), local: address("192.0.2.1:5060") }
}

fn tcp(peer: &str, connection: u64) -> Flow {
    Flow { transport: Transport::Tcp(ConnectionId(connection)), ..udp(peer) }
}

/// A request of the caller.
#[derive(Clone)]
struct Msg {
    method: &'static str,
    uri: String,
    branch: String,
    via: &'static str,
    from_tag: String,
    to_tag: Option<String>,
    call_id: String,
    seq: u32,
    cseq_method: Option<&'static str>,
    headers: Vec<String>,
    body: Option<(&'static str, &'static str)>,
}

fn request(method: &'static str, branch: &str) -> Msg {
    Msg {
        method,
        uri: "sip:7000@192.0.2.1".into(),
        branch: branch.into(),
        via: "192.0.2.9:5060",
        from_tag: "callertag".into(),
        to_tag: None,
        call_id: "call-1@192.0.2.9".into(),
        seq: 1,
        cseq_method: None,
        headers: vec![],
        body: None,
    }
}

fn invite(branch: &str) -> Msg {
    request("INVITE", branch).header("Contact: <sip:1004@192.0.2.9:5062>").body("application/sdp", OFFER)
}

impl Msg {
    fn header(mut self, line: &str) -> Self {
        self.headers.push(line.into());
        self
    }
    fn body(mut self, kind: &'static str, body: &'static str) -> Self {
        self.body = Some((kind, body));
        self
    }
    fn via(mut self, sent_by: &'static str) -> Self {
        self.via = sent_by;
        self
    }
    fn no_body(mut self) -> Self {
        self.body = None;
        self
    }
    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|line| !line.starts_with(name));
        self
    }
    fn uri(mut self, uri: &str) -> Self {
        self.uri = uri.into();
        self
    }
    fn call(mut self, id: &str) -> Self {
        self.call_id = id.into();
        self
    }
    fn seq(mut self, seq: u32) -> Self {
        self.seq = seq;
        self
    }
    fn tagged(mut self, tag: &str) -> Self {
        self.to_tag = Some(tag.into());
        self
    }
    fn within(self, dialog: DialogKey) -> Self {
        self.tagged(&dialog::tag_of(dialog))
    }

    fn text(&self) -> String {
        let mut text = format!("{} {} SIP/2.0\r\n", self.method, self.uri);
        text += &format!("Via: SIP/2.0/UDP {};branch=z9hG4bK{}\r\nMax-Forwards: 0\r\n", self.via, self.branch);
        text += &format!("From: \"A\" <sip:1004@192.0.2.9>;tag={}\r\n", self.from_tag);
        let to_tag = self.to_tag.as_ref().map(|tag| format!(";tag={tag}")).unwrap_or_default();
        text += &format!("To: <sip:7000@192.0.2.1>{to_tag}\r\nCall-ID: {}\r\n", self.call_id);
        text += &format!("CSeq: {} {}\r\n", self.seq, self.cseq_method.unwrap_or(self.method));
        for line in &self.headers {
            text += &format!("{line}\r\n");
        }
        let (kind, body) = self.body.unwrap_or_default();
        if self.body.is_some() {
            text += &format!("Content-Type: {kind}\r\n");
        }
        text + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }
}

/// What was sent.
#[derive(Clone, Debug)]
struct Sent {
    flow: Flow,
    text: String,
}

impl Sent {
    /// `200 INVITE` of a response, `BYE` of a request.
    fn what(&self) -> String {
        let mut words = self.text.split_whitespace();
        match (words.next(), words.next()) {
            (Some("SIP/2.0"), Some(code)) => {
                let cseq = self.header("CSeq").unwrap_or_default();
                format!("{code} {}", cseq.rsplit(' ').next().unwrap_or_default())
            }
            (Some(method), _) => method.into(),
            (None, _) => String::new(),
        }
    }
    fn header(&self, name: &str) -> Option<String> {
        let prefix = format!("{name}: ");
        self.text.split("\r\n").find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
    }
    /// That of the first challenge.
    fn nonce(&self) -> String {
        let challenge = self.header("WWW-Authenticate").expect("a challenge");
        let rest = challenge.split_once("nonce=\"").expect("a nonce").1;
        rest.split('"').next().expect("its end").to_owned()
    }

    fn headers(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}: ");
        self.text.split("\r\n").filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect()
    }
}

struct World {
    endpoint: Endpoint,
    now: Mono,
    flow: Flow,
}

impl World {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut EndpointConfig)) -> Self {
        let mut config = EndpointConfig::new(vec!["7000".into()]);
        config.trusted = vec!["192.0.2.0/24".parse().expect("a prefix")];
        change(&mut config);
        Self { endpoint: Endpoint::new(config, [7; 32]), now: Mono(1_000_000), flow: udp("192.0.2.9:5060") }
    }

    fn over_tcp() -> Self {
        let mut world = Self::new();
        world.flow = tcp("192.0.2.9:40000", 1);
        world
    }

    fn over_tls() -> Self {
        let mut world = Self::new();
        world.flow.transport = Transport::Tls(ConnectionId(1));
        world
    }

    /// Gives a message and returns what is sent because of it.
    fn get(&mut self, message: &Msg) -> Vec<Sent> {
        self.get_text(&message.text())
    }

    fn get_text(&mut self, text: &str) -> Vec<Sent> {
        self.endpoint.handle_message(self.now, self.flow, text.as_bytes());
        self.sent()
    }

    /// The same, in the words of [`Sent::what`].
    fn gets(&mut self, message: &Msg) -> String {
        words(&self.get(message))
    }

    fn sent(&mut self) -> Vec<Sent> {
        let mut all = vec![];
        while let Some(Transmit { flow, bytes }) = self.endpoint.poll_transmit() {
            all.push(Sent { flow, text: String::from_utf8(bytes.to_vec()).expect("text") });
        }
        all
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.endpoint.poll_event()).collect()
    }

    fn event(&mut self) -> Event {
        let mut all = self.events();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Lets time pass and returns what is sent, each with its time in milliseconds from now.
    fn pass(&mut self, ms: u64) -> Vec<(u64, Sent)> {
        let (start, end) = (self.now, self.now + Duration::from_millis(ms));
        let mut all = vec![];
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.endpoint.handle_timeout(self.now);
            let ms = u64::try_from(self.now.since(start).as_millis()).expect("a time");
            all.extend(self.sent().into_iter().map(|sent| (ms, sent)));
        }
        self.now = end;
        all
    }

    /// The same, in the words of [`Sent::what`].
    fn passes(&mut self, ms: u64) -> Vec<(u64, String)> {
        self.pass(ms).into_iter().map(|(at, sent)| (at, sent.what())).collect()
    }

    /// An INVITE that has come in.
    fn ring(&mut self, message: &Msg) -> DialogKey {
        assert_eq!(self.gets(message), "", "nothing is sent before 200 ms");
        match self.event() {
            Event::Incoming(incoming) => incoming.dialog,
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, dialog: DialogKey) -> Sent {
        self.endpoint.answer(self.now, dialog, ANSWER.as_bytes()).expect("answered");
        let mut sent = self.sent();
        assert_eq!(words(&sent), "200 INVITE");
        sent.remove(0)
    }

    /// The request with that password, after it was sent without one and challenged.
    fn shown_by(&mut self, account: &str, password: &str, message: Msg) -> Msg {
        let refused = self.get(&Msg { branch: format!("{}q", message.branch), ..message.clone() });
        let nonce = refused[0].nonce();
        message.header(shows(account, password, &nonce, Some("00000001"), Algorithm::Sha256).trim_end())
    }

    /// A call that is up.
    fn call(&mut self) -> DialogKey {
        let dialog = self.ring(&invite("i1"));
        self.answer(dialog);
        assert_eq!(self.gets(&request("ACK", "a1").within(dialog)), "");
        assert_eq!(self.event(), Event::Confirmed { dialog, answer: None });
        dialog
    }

    fn assert_empty(&mut self) {
        self.pass(64_000);
        assert_eq!(self.endpoint.tables(), Tables::default(), "nothing is left of any call");
        assert!(self.endpoint.connections.is_empty() && self.endpoint.merges.is_empty());
        assert!(self.endpoint.lines.is_empty() && self.endpoint.connects.is_empty());
        assert_eq!(self.endpoint.kept_bytes, 0);
        assert!(self.endpoint.is_quiet());
    }
}

fn words(sent: &[Sent]) -> String {
    sent.iter().map(Sent::what).collect::<Vec<_>>().join(", ")
}

fn at(ms: u64, what: &str) -> (u64, String) {
    (ms, what.into())
}

fn ended(dialog: DialogKey, why: EndReason) -> Event {
    Event::Ended { dialog, why }
}

fn body(text: &str) -> Body {
    Body(text.as_bytes().to_vec())
}
