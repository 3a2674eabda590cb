//! The SIP of a phone: what a user agent client does by RFC 3261, with nothing but text.

use std::net::SocketAddr;
use std::time::Duration;

use switchhook::model::Mono;
use switchhook::sip::{T1, T2, TRANSACTION_TIMEOUT};
use switchhook::wire::sip::{Framing, Message, Response, decode};

use super::random::Random;

/// The phone system's address.
pub const SWITCH: &str = "192.0.2.1:5060";

/// A request of the phone that waits for its final response, or has it.
pub struct Transaction {
    pub branch: String,
    pub method: &'static str,
    cseq: u32,
    bytes: Vec<u8>,
    resend_at: Option<Mono>,
    interval: Duration,
    gives_up: Mono,
    pub is_over: bool,
}

/// What has happened, for the phone.
pub enum Told {
    /// The INVITE or a re-INVITE has its 200, with this description.
    Accepted { again: bool, sdp: Vec<u8> },
    /// A final response to anything else.
    Answered { method: &'static str, code: u16 },
    /// No answer within 32 s.
    TimedOut { method: &'static str },
    /// The other side ended the call.
    Bye,
}

pub struct Signals {
    pub call_id: String,
    pub transactions: Vec<Transaction>,
    pub out: Vec<Vec<u8>>,
    pub told: Vec<Told>,
    pub is_reliable: bool,
    address: SocketAddr,
    dialled: &'static str,
    from: String,
    to_tag: Option<String>,
    target: String,
    cseq: u32,
    /// The ACK of each 200, to be sent again with each copy of it.
    acks: Vec<(u32, Vec<u8>)>,
    random: Random,
}

impl Signals {
    pub fn new(address: SocketAddr, user: &str, dialled: &'static str, is_reliable: bool, mut random: Random) -> Self {
        let from = format!("<sip:{user}@{}>;tag={:x}", address.ip(), random.next());
        Self {
            call_id: format!("{:x}@{}", random.next(), address.ip()),
            transactions: Vec::new(),
            out: Vec::new(),
            told: Vec::new(),
            is_reliable,
            address,
            dialled,
            from,
            to_tag: None,
            target: format!("sip:{dialled}@{SWITCH}"),
            cseq: random.below(1000) as u32,
            acks: Vec::new(),
            random,
        }
    }

    /// Sends a request in a new transaction; its branch.
    pub fn request(&mut self, now: Mono, method: &'static str, body: Option<(&str, &str)>) -> String {
        self.cseq += 1;
        let branch = format!("z9hG4bK{:016x}", self.random.next());
        let bytes = self.text(method, self.cseq, &branch, body);
        self.begin(now, method, self.cseq, branch.clone(), bytes);
        branch
    }

    /// Cancels the INVITE that was sent first.
    pub fn cancel(&mut self, now: Mono) {
        let Some(invite) = self.transactions.iter().find(|t| t.method == "INVITE" && !t.is_over) else { return };
        let (branch, cseq) = (invite.branch.clone(), invite.cseq);
        let bytes = self.text("CANCEL", cseq, &branch, None);
        self.begin(now, "CANCEL", cseq, branch, bytes);
    }

    fn begin(&mut self, now: Mono, method: &'static str, cseq: u32, branch: String, bytes: Vec<u8>) {
        self.out.push(bytes.clone());
        let resend_at = (!self.is_reliable).then(|| now + T1);
        let gives_up = now + TRANSACTION_TIMEOUT;
        let transaction =
            Transaction { branch, method, cseq, bytes, resend_at, interval: T1, gives_up, is_over: false };
        self.transactions.push(transaction);
    }

    /// Acknowledges the newest 200 to an INVITE.
    pub fn acknowledge(&mut self, body: Option<&str>) {
        let Some(cseq) = self.transactions.iter().rev().find(|t| t.method == "INVITE").map(|t| t.cseq) else { return };
        let branch = format!("z9hG4bK{:016x}", self.random.next());
        let bytes = self.text("ACK", cseq, &branch, body.map(|sdp| ("application/sdp", sdp)));
        self.out.push(bytes.clone());
        self.acks.push((cseq, bytes));
    }

    /// Whether a request waits for its final response.
    pub fn is_busy(&self) -> bool {
        self.transactions.iter().any(|transaction| !transaction.is_over)
    }

    /// Timers A, B, E and F.
    pub fn handle_timeout(&mut self, now: Mono) {
        for transaction in self.transactions.iter_mut().filter(|t| !t.is_over) {
            if transaction.gives_up <= now {
                transaction.is_over = true;
                self.told.push(Told::TimedOut { method: transaction.method });
            } else if transaction.resend_at.is_some_and(|at| at <= now) {
                transaction.interval *= 2;
                if transaction.method != "INVITE" {
                    transaction.interval = transaction.interval.min(T2);
                }
                transaction.resend_at = Some(now + transaction.interval);
                self.out.push(transaction.bytes.clone());
            }
        }
    }

    pub fn handle(&mut self, bytes: &[u8]) {
        let framing = if self.is_reliable { Framing::Stream } else { Framing::Datagram };
        match decode(bytes, framing).expect("what is sent to a phone is SIP") {
            Message::Response(response) => self.handle_response(&response),
            Message::Request(request) => {
                assert_eq!(request.method.as_str(), "BYE");
                let known = self.to_tag.is_some() && request.head.call_id() == self.call_id;
                assert!(!known || request.head.from.tag() == self.to_tag.as_deref(), "from the one who was called");
                self.out.push(answer(bytes, if known { "200 OK" } else { "481 Gone" }));
                self.told.push(Told::Bye);
            }
        }
    }

    fn handle_response(&mut self, response: &Response) {
        let branch = response.head.via.branch().unwrap_or_default();
        let method = response.head.cseq.method.as_str();
        let Some(at) = self.transactions.iter().position(|t| t.branch == branch && t.method == method) else {
            panic!("a response to nothing: {} {method}", response.code);
        };
        let transaction = &mut self.transactions[at];
        if response.code < 200 {
            // Calling becomes Proceeding: no more copies, and no time limit but the caller's.
            transaction.resend_at = None;
            return;
        }
        let (again, cseq) = (std::mem::replace(&mut transaction.is_over, true), transaction.cseq);
        let (method, is_first) = (transaction.method, !self.transactions[..at].iter().any(|t| t.method == "INVITE"));
        if method == "INVITE" && response.code < 300 {
            if again {
                let acks = self.acks.iter().filter(|(of, _)| *of == cseq);
                self.out.extend(acks.map(|(_, bytes)| bytes.clone()));
                return;
            }
            if is_first {
                self.to_tag = response.head.to.tag().map(str::to_owned);
                let contact = response.head.addresses(switchhook::wire::sip::Name::Contact).expect("a Contact");
                self.target = switchhook::wire::sip::encode_uri(&contact[0].uri);
            }
            self.told.push(Told::Accepted { again: !is_first, sdp: response.body.0.clone() });
            return;
        }
        if method == "INVITE" {
            let branch = self.transactions[at].branch.clone();
            let mut ack = self.text("ACK", cseq, &branch, None);
            if is_first {
                ack = with_to(&ack, &response.head.echo.to);
            }
            self.out.push(ack);
        }
        if !again {
            self.told.push(Told::Answered { method, code: response.code });
        }
    }

    fn text(&self, method: &str, cseq: u32, branch: &str, body: Option<(&str, &str)>) -> Vec<u8> {
        let (transport, suffix) = if self.is_reliable { ("TCP", ";transport=tcp") } else { ("UDP", "") };
        // A CANCEL has the Request-URI and the To of the INVITE (RFC 3261 section 9.1).
        let to_tag = self.to_tag.as_ref().filter(|_| method != "CANCEL").map(|tag| format!(";tag={tag}"));
        let target = if method == "CANCEL" { format!("sip:{}@{SWITCH}", self.dialled) } else { self.target.clone() };
        let mut text = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/{transport} {};branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: {}\r\nTo: <sip:{}@{SWITCH}>{}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:phone@{}{suffix}>\r\n",
            self.address,
            self.from,
            self.dialled,
            to_tag.unwrap_or_default(),
            self.call_id,
            self.address,
        );
        let content = body.map_or(String::new(), |(kind, _)| format!("Content-Type: {kind}\r\n"));
        let body = body.map_or("", |(_, body)| body);
        text += &format!("{content}Content-Length: {}\r\n\r\n{body}", body.len());
        text.into_bytes()
    }
}

/// Puts the To of a refusal into its ACK.
fn with_to(ack: &[u8], to: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(ack).into_owned();
    let lines =
        text.split("\r\n").map(|line| if line.starts_with("To:") { format!("To: {to}") } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\r\n").into_bytes()
}

/// The answer to a request: what has to be repeated of it.
fn answer(request: &[u8], status: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let repeated = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines = text.split("\r\n").filter(|line| repeated.iter().any(|name| line.starts_with(name)));
    let lines: Vec<&str> = lines.collect();
    format!("SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n", lines.join("\r\n")).into_bytes()
}
