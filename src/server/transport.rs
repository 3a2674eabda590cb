//! The sockets of SIP: UDP, and listeners of TCP and TLS with their connections.

mod bind;
mod connections;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod udp;
mod waiting;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::sync::mpsc::Sender;
use zeroize::Zeroizing;

use crate::config::{Listen, Transport as Kind};
use crate::model::Prefix;
use crate::server::clock::Clock;
use crate::sip::{Connect, ConnectionId, Flow, Transmit, Transport};
use connections::Connections;
use stream::Lines;
pub use stream::Patience;
pub use tls::Certificates;
pub use waiting::Outbound;
use waiting::{Intake, Rooms, Share};

/// Messages that wait for the endpoint; what comes beyond is dropped over UDP and waits over TCP.
pub const INBOUND_MAX: usize = 8192;

/// What comes in.
pub enum Inbound {
    /// A message, or a datagram; its share of the room for those that wait is given back when it is dropped.
    Message(Flow, Zeroizing<Vec<u8>>, Share),
    /// A connection was accepted.
    Opened(ConnectionId, Outbound),
    /// A connection is gone.
    Closed(ConnectionId),
    /// What came of [`Transports::reach`]: the way, on a connection that was told of before, or nothing.
    Connected(Connect, Option<Flow>),
}

/// What is listened on, and for whom.
pub struct Listening<'a> {
    /// The addresses.
    pub listens: &'a [Listen],
    /// Who we are by TLS; `None` where no address is for that.
    pub certificates: Option<Arc<Certificates>>,
    /// Who may have more connections than strangers.
    pub trusted: Vec<Prefix>,
    /// How long connections are waited for.
    pub patience: Patience,
    /// By which new ones are counted.
    pub clock: Clock,
}

/// Everything that is listened on.
pub struct Transports {
    udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    connections: HashMap<ConnectionId, Outbound>,
    lines: Lines,
}

/// Makes connections of ours, which count like those of others.
#[derive(Clone)]
pub struct Connector(Lines);

/// A port that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{listen}: {error}; another program may have the port: change `listen` in [sip], or stop that program")]
pub struct ListenError {
    listen: Listen,
    error: std::io::Error,
}

impl Transports {
    /// Binds everything and begins to read, in tasks of the runtime that it is called in; what comes in goes to `inbound`.
    pub fn listen(on: Listening<'_>, inbound: &Sender<Inbound>) -> Result<Self, ListenError> {
        let mut udp = Vec::new();
        let connections = Arc::new(Connections::new(on.trusted));
        let intake = Intake::new(inbound.clone());
        let lines =
            Lines { connections, intake, rooms: Arc::new(Rooms::default()), patience: on.patience, clock: on.clock };
        for &listen in on.listens {
            let failed = |error| ListenError { listen, error };
            let certificates = match listen.transport {
                Kind::Udp => {
                    let socket = Arc::new(bind::bind_udp(listen.address).map_err(failed)?);
                    let local = socket.local_addr().map_err(failed)?;
                    tokio::spawn(udp::read_datagrams(local, Arc::clone(&socket), lines.intake.clone()));
                    udp.push((local, socket));
                    continue;
                }
                Kind::Tcp => None,
                Kind::Tls => {
                    let missing = || failed(std::io::Error::other("there are no certificates"));
                    Some(on.certificates.clone().ok_or_else(missing)?)
                }
            };
            let listener = bind::bind_tcp(listen.address).map_err(failed)?;
            tokio::spawn(stream::accept(listener, lines.clone(), certificates));
        }
        Ok(Self { udp, connections: HashMap::new(), lines })
    }

    /// By which connections of ours are made.
    pub fn connector(&self) -> Connector {
        Connector(self.lines.clone())
    }

    /// The way of a datagram to a peer; `None` where nothing is listened on from which it could go there.
    pub fn flow_to(&self, peer: SocketAddr) -> Option<Flow> {
        let same_family = self.udp.iter().map(|(local, _)| *local).filter(|local| local.is_ipv4() == peer.is_ipv4());
        let mut ways = same_family.filter_map(|local| Some(SocketAddr::new(udp::route(local, peer)?, local.port())));
        ways.next().map(|local| Flow { transport: Transport::Udp, peer, local })
    }

    /// Begins to connect by TCP; [`Inbound::Connected`] follows.
    pub fn reach(&self, connect: Connect) {
        tokio::spawn(stream::reach(self.lines.clone(), connect));
    }

    /// Notes a connection that was accepted, or is ours.
    pub fn opened(&mut self, id: ConnectionId, outbound: Outbound) {
        self.connections.insert(id, outbound);
    }

    /// Notes that the other side of a connection has shown that it may call: its place stays its own.
    pub fn proven(&self, id: ConnectionId) {
        self.lines.connections.keep(id);
    }

    /// Forgets a connection, which closes it once all that waits for it is written.
    pub fn closed(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// Sends a message, or drops it where it can't be sent now: SIP retransmits, and a connection that is too slow is closed.
    pub fn send(&mut self, transmit: Transmit) {
        let Transmit { flow, bytes } = transmit;
        let Some(id) = flow.transport.connection() else {
            let socket = self.udp.iter().find(|(local, _)| udp::serves(local, &flow));
            if let Some((_, socket)) = socket
                && let Err(error) = socket.try_send_to(&bytes, flow.peer)
            {
                tracing::debug!(peer = %flow.peer, %error, "a datagram was not sent");
            }
            return;
        };
        if self.connections.get(&id).is_some_and(|outbound| !outbound.send(bytes)) {
            // At once: what waits for it already would keep the memory for as long as it takes it drop by drop.
            tracing::debug!(peer = %flow.peer, "a connection takes too little of what is sent to it: closed");
            self.lines.connections.cut_off(id);
            self.connections.remove(&id);
        }
    }
}

impl Connector {
    /// Connects to a peer by TCP: the way of its messages, and the queue of those that go there, which is to be noted by
    /// [`Transports::opened`] and closes the connection when it is dropped.
    pub async fn connect(&self, peer: SocketAddr) -> std::io::Result<(Flow, Outbound)> {
        stream::connect(&self.0, peer).await
    }
}
