//! One dialog, from the INVITE to its end (RFC 3261 sections 12, 13.3 and 14.2).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::key::TransactionKey;
use super::timer::{T1, T2, TRANSACTION_TIMEOUT};
use super::transaction::Packet;
use super::{Connect, DialogKey, Flow, Transport};
use crate::model::{Bucket, Mono, Rate};
use crate::wire::sip::{
    Bad, COOKIE, Echo, Encoder, Method, Name, NameAddr, Request, Scheme, Uri, encode_uri, host_ip, is_loose_router,
    uri_transport,
};

/// The most Record-Route values of a dialog; over it: 400. As with Via, no more servers pass a message on.
pub(super) const ROUTES_MAX: usize = 128;
/// Requests of one call, a second; over it they get no answer, but for a BYE.
const DIALOG_REQUESTS_PER_SECOND_MAX: u32 = 32;
/// Requests of one call that may come at once.
const DIALOG_REQUESTS_BURST_MAX: u32 = 128;
/// The same.
pub(super) const DIALOG_REQUESTS: Rate = Rate::per_second(DIALOG_REQUESTS_PER_SECOND_MAX, DIALOG_REQUESTS_BURST_MAX);

/// How far the call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The INVITE waits for its final response.
    Offered,
    /// Our 200 waits for its ACK.
    Answered,
    /// The ACK has come.
    Confirmed,
}

/// What a call needs for its requests in both directions.
#[derive(Debug)]
pub(super) struct Dialog {
    pub(super) phase: Phase,
    pub(super) call_id: String,
    /// The caller's tag; `None` from an RFC 2543 caller.
    pub(super) remote_tag: Option<String>,
    /// From and To of our requests, tags included.
    local: String,
    remote: String,
    pub(super) remote_seq: u32,
    local_seq: u32,
    routes: Vec<String>,
    first_route: Option<FirstRoute>,
    pub(super) target: Target,
    /// Our Contact.
    pub(super) contact: String,
    /// The account whose password the INVITE showed; `None` from a trusted peer.
    pub(super) account: Option<String>,
    /// The INVITE came by TLS.
    pub(super) is_secure: bool,
    /// How many requests it may still make.
    pub(super) requests: Bucket,
    /// The way that the last request of the caller came.
    pub(super) flow: Flow,
    /// That way was a connection, and it is closed.
    pub(super) is_flow_closed: bool,
    /// The INVITE, re-INVITE or UPDATE that waits for its final response.
    pub(super) pending: Option<Pending>,
    /// Our 200 to an INVITE, until its ACK.
    pub(super) unacked: Option<Unacked>,
    /// We hung up before the ACK: the BYE follows it (RFC 3261 section 15).
    pub(super) hang_up: bool,
    /// The time in the table of wake-ups.
    pub(super) armed: Option<Mono>,
}

/// The remote target: where the caller wants the requests of the dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    uri: String,
    hop: Hop,
}

impl Target {
    fn of(uri: &Uri) -> Self {
        Self { uri: encode_uri(uri), hop: Hop::of(uri) }
    }

    /// The first Contact; `None` where there is none or it is no URI to send to (`*`).
    pub(super) fn of_contact(request: &Request) -> Result<Option<Self>, Bad> {
        if request.head.first(Name::Contact).is_none() {
            return Ok(None);
        }
        Ok(request.head.addresses(Name::Contact)?.first().map(|contact| Self::of(&contact.uri)))
    }

    /// The caller's own address, for RFC 2543 callers, who need not name a Contact.
    pub(super) fn of_from(request: &Request) -> Self {
        Self::of(&request.head.from.uri)
    }
}

#[derive(Debug)]
struct FirstRoute {
    uri: String,
    loose: bool,
    hop: Hop,
}

/// A request that waits for its final response.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) transaction: TransactionKey,
    pub(super) method: Method,
    pub(super) seq: u32,
    pub(super) echo: Echo,
    /// Repeated in a 100 (RFC 3261 section 8.2.6.1).
    pub(super) timestamp: Option<String>,
    /// Whether it brought an offer.
    pub(super) has_offer: bool,
    /// Repeated in the 2xx that makes the dialog.
    pub(super) record_routes: Vec<String>,
    /// The remote target from the 2xx on.
    pub(super) target: Option<Target>,
}

/// A 2xx to an INVITE that is repeated until its ACK (RFC 3261 section 13.3.1.4), over any transport.
#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) seq: u32,
    pub(super) response: Packet,
    pub(super) reply: Flow,
    /// Whether the 2xx had our offer, to be answered by the ACK.
    pub(super) has_our_offer: bool,
    resend_at: Mono,
    interval: Duration,
    give_up: Mono,
}

/// What is to be done about a 2xx that nobody has acknowledged yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    Nothing,
    Resend,
    GiveUp,
}

impl Unacked {
    /// The 2xx is being sent for the first time.
    pub(super) fn new(now: Mono, seq: u32, response: Packet, reply: Flow, has_our_offer: bool) -> Self {
        let (resend_at, give_up) = (now + T1, now + TRANSACTION_TIMEOUT);
        Self { seq, response, reply, has_our_offer, resend_at, interval: T1, give_up }
    }

    /// Time has passed.
    pub(super) fn handle_timeout(&mut self, now: Mono) -> Overdue {
        if self.give_up <= now {
            return Overdue::GiveUp;
        }
        if self.resend_at > now {
            return Overdue::Nothing;
        }
        self.interval = T2.min(self.interval * 2);
        self.resend_at = now + self.interval;
        Overdue::Resend
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub(super) fn deadline(&self) -> Mono {
        self.resend_at.min(self.give_up)
    }
}

impl Dialog {
    /// The dialog that an INVITE would make, with our tag in it; a malformed Record-Route is an error.
    pub(super) fn new(
        key: DialogKey,
        request: &Request,
        flow: Flow,
        target: Target,
        contact: String,
    ) -> Result<Self, Bad> {
        let head = &request.head;
        let routes: Vec<String> = head.list(Name::RecordRoute)?.into_iter().map(str::to_owned).collect();
        if routes.len() > ROUTES_MAX {
            return Err(Bad::syntax("too many Record-Route values"));
        }
        let first_route = head.addresses(Name::RecordRoute)?.first().map(|route: &NameAddr| FirstRoute {
            uri: encode_uri(&route.uri),
            loose: is_loose_router(&route.uri),
            hop: Hop::of(&route.uri),
        });
        Ok(Self {
            phase: Phase::Offered,
            call_id: head.call_id().to_owned(),
            remote_tag: head.from.tag().map(str::to_owned),
            local: format!("{};tag={}", head.echo.to, tag_of(key)),
            remote: head.echo.from.clone(),
            remote_seq: head.cseq.seq,
            local_seq: 0,
            routes,
            first_route,
            target,
            contact,
            account: None,
            is_secure: flow.transport.is_secure(),
            requests: Bucket::default(),
            flow,
            is_flow_closed: false,
            pending: None,
            unacked: None,
            hang_up: false,
            armed: None,
        })
    }

    /// Whether a request with our tag is of this dialog.
    pub(super) fn has(&self, request: &Request) -> bool {
        self.call_id == request.head.call_id() && self.remote_tag.as_deref() == request.head.from.tag()
    }

    /// Whether an offer of ours is on its way, which forbids another one (RFC 3264 section 4).
    pub(super) fn has_our_offer_open(&self) -> bool {
        self.unacked.as_ref().is_some_and(|unacked| unacked.has_our_offer)
    }

    /// Builds the BYE, as the loose or strict first router wants it (RFC 3261 section 12.2.1.1), and says where it goes.
    pub(super) fn bye(&mut self, branch: u64, via_host: &str, user_agent: &str) -> (Vec<u8>, Flow) {
        self.local_seq += 1;
        let strict = self.first_route.as_ref().filter(|first| !first.loose);
        let uri = strict.map_or(&self.target.uri, |first| &first.uri);
        let mut bye = Encoder::request(&Method::Bye, uri);
        let transport = self.flow.transport.via_name();
        bye.header("Via", &format!("SIP/2.0/{transport} {via_host};branch={COOKIE}{branch:016x};rport"));
        let routes = self.routes.iter().skip(usize::from(strict.is_some()));
        for route in routes {
            bye.header("Route", route);
        }
        if strict.is_some() {
            bye.header_parts("Route", &["<", &self.target.uri, ">"]);
        }
        bye.header("Max-Forwards", "70");
        bye.header("From", &self.local);
        bye.header("To", &self.remote);
        bye.header("Call-ID", &self.call_id);
        bye.header("CSeq", &format!("{} BYE", self.local_seq));
        bye.header("User-Agent", user_agent);
        (bye.finish(), self.next_hop())
    }

    /// Where our requests go: over UDP to the port that the next hop names, where its address is the one that the caller's
    /// requests come from, else back the way they came. So nothing is ever sent to an address that has not called here,
    /// names need no resolver, and a caller behind a NAT gets its BYE.
    fn next_hop(&self) -> Flow {
        let (hop, peer) = (self.hop(), self.flow.peer.ip());
        match self.flow.transport {
            Transport::Udp if hop.port != 0 && hop.ip == Some(peer.to_canonical()) => {
                Flow { peer: SocketAddr::new(peer, hop.port), ..self.flow }
            }
            Transport::Udp | Transport::Tcp(_) | Transport::Tls(_) => self.flow,
        }
    }

    /// Where a connection may be opened to in place of the caller's, which is gone (RFC 3261 section 18.1.1): the port
    /// that the next hop names, at the address that called, as in [`Self::next_hop`]; a name is taken for that address.
    /// `None` where the next hop is elsewhere, and where it or the call is by TLS, since whoever took that connection
    /// could not be told from the caller.
    pub(super) fn reconnect(&self) -> Option<Connect> {
        let (hop, peer) = (self.hop(), self.flow.peer.ip().to_canonical());
        let is_tcp = matches!(self.flow.transport, Transport::Tcp(_)) && !hop.is_secure;
        let is_there = hop.port != 0 && hop.ip.is_none_or(|ip| ip == peer);
        let from = self.flow.local.ip().to_canonical();
        (is_tcp && is_there).then_some(Connect { from, to: SocketAddr::new(peer, hop.port) })
    }

    fn hop(&self) -> Hop {
        self.first_route.as_ref().map_or(self.target.hop, |first| first.hop)
    }
}

/// Where the text of a URI leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hop {
    /// `None` for a name.
    ip: Option<IpAddr>,
    /// 5060 where it names none (RFC 3261 section 19.1.2); 0 leads nowhere.
    port: u16,
    /// Whether it wants TLS.
    is_secure: bool,
}

impl Hop {
    fn of(uri: &Uri) -> Self {
        let port = uri.host_with_port.port.map_or(5060, |port| *port.value());
        let is_secure = matches!(uri.scheme, Some(Scheme::Sips)) || uri_transport(uri) == Some("tls");
        Self { ip: host_ip(&uri.host_with_port.host), port, is_secure }
    }
}

/// The tag that we give a dialog.
pub(super) fn tag_of(key: DialogKey) -> String {
    format!("{:016x}", key.0)
}

/// The dialog that a tag of ours names.
pub(super) fn key_of(tag: &str) -> Option<DialogKey> {
    let is_ours = tag.len() == 16 && tag.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_ours.then(|| u64::from_str_radix(tag, 16).ok()).flatten().map(DialogKey)
}
