//! The SIP user agent, without sockets and clocks: transactions, dialogs and the [`Endpoint`] that holds them all
//! (RFC 3261, with 3264's offers and answers, 3311, 3581, 6026 and 6086).
//!
//! Messages, commands and the time go in by `handle_*` and the commands of [`Endpoint`]; datagrams, events and the next
//! wake-up come out of `poll_*`. After each input all outputs are to be drained before the next one.

mod auth;
mod content;
mod destination;
mod dialog;
mod endpoint;
mod key;
mod limiter;
mod random;
mod response;
mod secrets;
mod timer;
pub mod transaction;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use auth::{Account, REALM};
pub use destination::{Destination, DestinationError, DestinationHost};
pub use endpoint::Endpoint;
pub use timer::{T1, T2, T4, TRANSACTION_TIMEOUT, TRYING_AFTER};

use crate::model::Prefix;
pub use crate::wire::sip::Algorithm;
use crate::wire::sip::Body;

/// The methods that are served, as the Allow header field lists them.
pub const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE";
/// What a caller over a limit is told to wait, in seconds.
pub const RETRY_AFTER_FULL_S: u32 = 10;
/// The longest random wait that a request is given that came while another was open, in seconds (RFC 3261 section 14.2).
pub const RETRY_AFTER_OVERLAP_S_MAX: u64 = 10;

/// A connection of a stream transport, as the shell numbers them; a number is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// How a message came or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A datagram.
    Udp,
    /// On this connection.
    Tcp(ConnectionId),
    /// On this connection, encrypted (RFC 3261 section 26.2.1).
    Tls(ConnectionId),
}

impl Transport {
    /// Whether the transport itself retransmits.
    pub fn is_reliable(self) -> bool {
        self.connection().is_some()
    }

    /// The connection that it is on.
    pub fn connection(self) -> Option<ConnectionId> {
        match self {
            Transport::Udp => None,
            Transport::Tcp(connection) | Transport::Tls(connection) => Some(connection),
        }
    }

    /// Whether nobody on the way can read along.
    pub fn is_secure(self) -> bool {
        matches!(self, Transport::Tls(_))
    }

    /// Its name in Via.
    fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp(_) => "TCP",
            Transport::Tls(_) => "TLS",
        }
    }

    /// The parameter of a `sip:` URI that is reached by it.
    fn uri_parameter(self) -> &'static str {
        match self {
            Transport::Udp => "",
            Transport::Tcp(_) => ";transport=tcp",
            Transport::Tls(_) => ";transport=tls",
        }
    }
}

/// Where a message came from, or where it goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The transport.
    pub transport: Transport,
    /// The other side.
    pub peer: SocketAddr,
    /// Our side: the socket's address; of a socket bound to all addresses its port counts and
    /// [`EndpointConfig::address`] names the host.
    pub local: SocketAddr,
}

/// A TCP connection that the endpoint wants for a BYE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connect {
    /// Our address, the one that was called.
    pub from: IpAddr,
    /// Where to.
    pub to: SocketAddr,
}

/// What the endpoint is to know, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// The user parts that are answered; others get 404.
    pub extensions: Vec<String>,
    /// The most calls; over it: 503 with Retry-After.
    pub calls_max: usize,
    /// The most server transactions, and the most client transactions; over it a new INVITE gets 503 with Retry-After,
    /// and all else is answered without being remembered. A finished call leaves two behind for 32 s.
    pub transactions_max: usize,
    /// The product's name in Server and User-Agent.
    pub server_name: String,
    /// The address that Contact and Via name; `None` for the flow's own.
    pub address: Option<IpAddr>,
    /// From where calls need no digest, and say truly who calls.
    pub trusted: Vec<Prefix>,
    /// Who may call from elsewhere, by digest; without any account nobody can.
    pub accounts: Vec<Account>,
    /// What a challenge offers, best first; nothing else is taken.
    pub algorithms: Vec<Algorithm>,
}

impl EndpointConfig {
    /// The defaults of the configuration: 2000 calls; and 131,072 transactions, which is what 2000 set-ups per second
    /// leave behind.
    pub fn new(extensions: Vec<String>) -> Self {
        Self {
            extensions,
            calls_max: 2000,
            transactions_max: 131_072,
            server_name: concat!("switchhook/", env!("CARGO_PKG_VERSION")).to_owned(),
            address: None,
            trusted: Vec::new(),
            accounts: Vec::new(),
            algorithms: Algorithm::ALL.to_vec(),
        }
    }
}

/// One call's dialog, for as long as this process runs; it is also the tag that we give it (RFC 3261 section 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialogKey(pub u64);

/// An OPTIONS request of ours outside any call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProbeId(pub u64);

/// Whether whoever gave this final response to an OPTIONS request is there and in service; `None` is no response.
///
/// Any response shows that somebody is there, one that refuses us too. 408 comes from a proxy that got none, and 5xx is
/// a server that is out of service, but for 501, which only does not know OPTIONS.
pub fn is_reachable(answer: Option<u16>) -> bool {
    match answer {
        None | Some(408) => false,
        Some(501) => true,
        Some(code) => code / 100 != 5,
    }
}

/// Bytes to be sent, as one datagram or on the connection; dropped where the connection is gone.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub flow: Flow,
    /// One whole message.
    pub bytes: Arc<[u8]>,
}

impl std::fmt::Debug for Transmit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Transmit({:?} to {}, {} bytes)", self.flow.transport, self.flow.peer, self.bytes.len())
    }
}

/// What happened to a call, or came of a probe.
///
/// Each [`Event::Incoming`] is followed by exactly one [`Event::Ended`] of its dialog, the last event of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Someone calls: to be answered with [`Endpoint::answer`] or [`Endpoint::reject`].
    Incoming(Incoming),
    /// The caller has acknowledged our answer. `answer` is theirs, where the offer was ours.
    Confirmed {
        /// The call.
        dialog: DialogKey,
        /// The session description in the ACK; `None` where the offer was theirs, or they broke the rule.
        answer: Option<Body>,
    },
    /// A re-INVITE or UPDATE: to be answered with [`Endpoint::answer_reoffer`].
    Reoffered {
        /// The call.
        dialog: DialogKey,
        /// The new offer; `None` where the answer to it is to be an offer of ours.
        offer: Option<Body>,
    },
    /// The answer to a re-INVITE has been acknowledged (an UPDATE's never is).
    ReofferConfirmed {
        /// The call.
        dialog: DialogKey,
        /// As in [`Event::Confirmed`].
        answer: Option<Body>,
    },
    /// An INFO with a key in it (`application/dtmf-relay` or `application/dtmf`), already answered.
    Info {
        /// The call.
        dialog: DialogKey,
        /// The media type, in lower case, without parameters.
        content_type: String,
        /// The body.
        body: Body,
    },
    /// A request that changes nothing, already answered (OPTIONS, an UPDATE without an offer, an INFO without a key): the
    /// caller is there.
    Request {
        /// The call.
        dialog: DialogKey,
    },
    /// The call is over; nothing more comes of this dialog, and commands for it are refused.
    Ended {
        /// The call.
        dialog: DialogKey,
        /// How.
        why: EndReason,
    },
    /// What came of [`Endpoint::probe`]: exactly one of these for each.
    Probed {
        /// The request.
        probe: ProbeId,
        /// The code of the final response; `None` where none came within 32 s, or its connection was closed.
        answer: Option<u16>,
        /// From the request to the response; zero where none came.
        round_trip: Duration,
    },
}

/// A call that wants an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The call.
    pub dialog: DialogKey,
    /// Call-ID.
    pub call_id: String,
    /// The user part dialled, unescaped: one of [`EndpointConfig::extensions`].
    pub to_user: String,
    /// The user part of From, unescaped.
    pub from_user: Option<String>,
    /// Whether it comes from a trusted peer, so that what it says of the caller is true.
    pub is_trusted: bool,
    /// The account whose password it showed by digest; `None` from a trusted peer.
    pub account: Option<String>,
    /// The user part of P-Asserted-Identity, unescaped; worth something from a trusted peer only (RFC 3325).
    pub asserted_user: Option<String>,
    /// How it came.
    pub flow: Flow,
    /// The offer; `None` where the answer is to be an offer of ours.
    pub offer: Option<Body>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The caller sent BYE.
    Bye,
    /// The caller gave up before the answer.
    Cancelled,
    /// We rejected it.
    Rejected,
    /// We hung up.
    HungUp,
    /// Our answer was never acknowledged; a BYE was sent.
    NoAck,
    /// The connection was closed before the call was up, or it was closed and there is no other way for our BYE.
    TransportGone,
}

/// Why a command was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// There is no such dialog: the call has ended meanwhile, as [`Event::Ended`] said or will say.
    #[error("the call has ended meanwhile")]
    NoSuchDialog,
    /// The dialog waits for no such answer: the re-INVITE was cancelled, or the INVITE answered already.
    #[error("nothing waits for that answer")]
    NothingToAnswer,
}

/// How full the endpoint's tables are; all zero when nothing is left of any call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Calls that have not ended.
    pub dialogs: usize,
    /// Server transactions, finished ones that still absorb retransmissions included.
    pub server_transactions: usize,
    /// Requests of ours without a final response, those included that wait for a connection, and those that still absorb
    /// its retransmissions.
    pub client_transactions: usize,
    /// Wake-ups.
    pub timers: usize,
}
