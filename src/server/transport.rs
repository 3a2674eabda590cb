//! The sockets of SIP: UDP, and TCP listeners with their connections.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use zeroize::Zeroize;

use crate::config::{Listen, Transport as Kind};
use crate::sip::{ConnectionId, Flow, Transmit, Transport};
use crate::wire::sip::{Frame, Framer};

/// Largest SIP datagram, in bytes: all that UDP can carry.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Messages that wait for the endpoint; what comes beyond is dropped over UDP and waits over TCP.
pub const INBOUND_MAX: usize = 8192;
/// Messages that wait for one slow connection; beyond it the connection is closed.
const OUTBOUND_MAX: usize = 256;
/// Connections at once; further ones are closed at once.
const CONNECTIONS_MAX: usize = 1024;
/// A connection that has not sent one whole message within this is closed.
const FIRST_MESSAGE_WITHIN: Duration = Duration::from_secs(30);
/// A write that takes longer closes the connection.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// A connection of ours that is not up within this is given up.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Bytes that the kernel may keep of what comes and goes by UDP.
const UDP_BUFFER_BYTES: usize = 4 << 20;

/// What comes in.
pub enum Inbound {
    /// A message, or a datagram.
    Message(Flow, Vec<u8>),
    /// A connection was accepted.
    Opened(ConnectionId, Sender<Arc<[u8]>>),
    /// A connection is gone.
    Closed(ConnectionId),
}

/// Everything that is listened on.
pub struct Transports {
    udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    connections: HashMap<ConnectionId, Sender<Arc<[u8]>>>,
    connector: Connector,
}

/// Makes connections of ours, which count like those of others.
#[derive(Clone)]
pub struct Connector {
    connections: Arc<Connections>,
    inbound: Sender<Inbound>,
}

/// A port that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{listen}: {error}; another program may have the port: change `listen` in [sip], or stop that program")]
pub struct ListenError {
    listen: Listen,
    error: std::io::Error,
}

impl Transports {
    /// Binds everything and begins to read; what comes in goes to `inbound`.
    pub async fn listen(listens: &[Listen], inbound: &Sender<Inbound>) -> Result<Self, ListenError> {
        let mut udp = Vec::new();
        let connections = Arc::new(Connections::default());
        for &listen in listens {
            let failed = |error| ListenError { listen, error };
            match listen.transport {
                Kind::Udp => {
                    let socket = Arc::new(bind_udp(listen.address).map_err(failed)?);
                    let local = socket.local_addr().map_err(failed)?;
                    tokio::spawn(read_datagrams(local, Arc::clone(&socket), inbound.clone()));
                    udp.push((local, socket));
                }
                Kind::Tcp => {
                    let listener = TcpListener::bind(listen.address).await.map_err(failed)?;
                    tokio::spawn(accept(listener, Arc::clone(&connections), inbound.clone()));
                }
            }
        }
        let connector = Connector { connections, inbound: inbound.clone() };
        Ok(Self { udp, connections: HashMap::new(), connector })
    }

    /// By which connections of ours are made.
    pub fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// The way of a datagram to a peer; `None` where nothing is listened on from which it could go there.
    pub fn flow_to(&self, peer: SocketAddr) -> Option<Flow> {
        let same_family = self.udp.iter().map(|(local, _)| *local).filter(|local| local.is_ipv4() == peer.is_ipv4());
        let mut ways = same_family.filter_map(|local| Some(SocketAddr::new(route(local, peer)?, local.port())));
        ways.next().map(|local| Flow { transport: Transport::Udp, peer, local })
    }

    /// Notes a connection that was accepted.
    pub fn opened(&mut self, id: ConnectionId, outbound: Sender<Arc<[u8]>>) {
        self.connections.insert(id, outbound);
    }

    /// Forgets a connection.
    pub fn closed(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// Sends a message, or drops it where it can't be sent now: SIP retransmits, and a connection that is too slow is closed.
    pub fn send(&mut self, transmit: Transmit) {
        let Transmit { flow, bytes } = transmit;
        match flow.transport {
            Transport::Udp => {
                let socket = self.udp.iter().find(|(local, _)| serves(local, &flow));
                if let Some((_, socket)) = socket
                    && let Err(error) = socket.try_send_to(&bytes, flow.peer)
                {
                    tracing::debug!(peer = %flow.peer, %error, "a datagram was not sent");
                }
            }
            Transport::Tcp(id) => {
                if self.connections.get(&id).is_some_and(|outbound| outbound.try_send(bytes).is_err()) {
                    // Its writer ends with the sender, and that closes the connection.
                    self.connections.remove(&id);
                }
            }
        }
    }
}

fn serves(local: &SocketAddr, flow: &Flow) -> bool {
    local.port() == flow.local.port()
        && local.is_ipv4() == flow.local.is_ipv4()
        && (local.ip() == flow.local.ip() || local.ip().is_unspecified())
}

fn bind_udp(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The kernel takes what its limits allow; less costs datagrams under load, not correctness.
    let _ = socket.set_recv_buffer_size(UDP_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(UDP_BUFFER_BYTES);
    socket.bind(&address.into())?;
    UdpSocket::from_std(StdUdpSocket::from(socket))
}

async fn read_datagrams(local: SocketAddr, socket: Arc<UdpSocket>, inbound: Sender<Inbound>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut routes = Routes::default();
    loop {
        // An error here is a peer's ICMP message, or the system short of memory: neither ends the listening.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let local = if local.ip().is_unspecified() { routes.local(local, peer) } else { local };
        let flow = Flow { transport: Transport::Udp, peer, local };
        let Some(bytes) = buffer.get_mut(..length) else { continue };
        let message = bytes.to_vec();
        // An INFO's has a key in it.
        bytes.zeroize();
        if let Err(tokio::sync::mpsc::error::TrySendError::Closed(_)) =
            inbound.try_send(Inbound::Message(flow, message))
        {
            return;
        }
    }
}

/// By which of our addresses a peer is reached, where a socket is bound to all of them.
#[derive(Default)]
struct Routes(HashMap<IpAddr, IpAddr>);

impl Routes {
    /// Peers remembered; beyond it all are asked for again.
    const PEERS_MAX: usize = 4096;

    fn local(&mut self, bound: SocketAddr, peer: SocketAddr) -> SocketAddr {
        if self.0.len() >= Self::PEERS_MAX {
            self.0.clear();
        }
        let ip = *self.0.entry(peer.ip()).or_insert_with(|| route(bound, peer).unwrap_or(bound.ip()));
        SocketAddr::new(ip, bound.port())
    }
}

/// Asks the kernel, by connecting a socket; nothing is sent.
fn route(bound: SocketAddr, peer: SocketAddr) -> Option<IpAddr> {
    let socket = StdUdpSocket::bind(SocketAddr::new(bound.ip(), 0)).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[derive(Default)]
struct Connections {
    next: AtomicU64,
    open: AtomicUsize,
}

impl Connections {
    fn next(&self) -> ConnectionId {
        ConnectionId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

async fn accept(listener: TcpListener, connections: Arc<Connections>, inbound: Sender<Inbound>) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, as a rule: wait until some are given back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if connections.open.load(Ordering::Relaxed) >= CONNECTIONS_MAX {
            tracing::warn!(%peer, "too many connections: closed");
            continue;
        }
        let id = connections.next();
        connections.open.fetch_add(1, Ordering::Relaxed);
        let (connections, inbound) = (Arc::clone(&connections), inbound.clone());
        tokio::spawn(async move {
            serve_connection(id, stream, peer, &inbound).await;
            connections.open.fetch_sub(1, Ordering::Relaxed);
            let _ = inbound.send(Inbound::Closed(id)).await;
        });
    }
}

impl Connector {
    /// Connects to a peer: the way of its messages, and the queue of those that go there, which is to be noted by
    /// [`Transports::opened`] and closes the connection when it is dropped.
    pub async fn connect(&self, peer: SocketAddr) -> std::io::Result<(Flow, Sender<Arc<[u8]>>)> {
        if self.connections.open.load(Ordering::Relaxed) >= CONNECTIONS_MAX {
            return Err(std::io::Error::other("too many connections"));
        }
        let stream = timeout(CONNECT_WITHIN, TcpStream::connect(peer)).await??;
        let flow = Flow { transport: Transport::Tcp(self.connections.next()), peer, local: stream.local_addr()? };
        let (outbound, queue) = channel(OUTBOUND_MAX);
        let (connections, inbound, pong) = (Arc::clone(&self.connections), self.inbound.clone(), outbound.downgrade());
        connections.open.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            carry(stream, flow, queue, &inbound, pong).await;
            connections.open.fetch_sub(1, Ordering::Relaxed);
            if let Transport::Tcp(id) = flow.transport {
                let _ = inbound.send(Inbound::Closed(id)).await;
            }
        });
        Ok((flow, outbound))
    }
}

async fn serve_connection(id: ConnectionId, stream: TcpStream, peer: SocketAddr, inbound: &Sender<Inbound>) {
    let Ok(local) = stream.local_addr() else { return };
    let flow = Flow { transport: Transport::Tcp(id), peer, local };
    let (outbound, queue) = channel(OUTBOUND_MAX);
    if inbound.send(Inbound::Opened(id, outbound.clone())).await.is_err() {
        return;
    }
    // Only the endpoint's side keeps the sender: dropping it there closes the connection.
    let pong = outbound.downgrade();
    drop(outbound);
    carry(stream, flow, queue, inbound, pong).await;
}

/// Reads and writes until either side closes.
async fn carry(
    stream: TcpStream,
    flow: Flow,
    queue: Receiver<Arc<[u8]>>,
    inbound: &Sender<Inbound>,
    pong: tokio::sync::mpsc::WeakSender<Arc<[u8]>>,
) {
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    tokio::select! {
        () = write_messages(writer, queue) => {}
        () = read_messages(reader, flow, inbound, pong) => {}
    }
}

async fn write_messages(mut writer: OwnedWriteHalf, mut queue: Receiver<Arc<[u8]>>) {
    while let Some(bytes) = queue.recv().await {
        match timeout(WRITE_WITHIN, writer.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

async fn read_messages(
    mut reader: OwnedReadHalf,
    flow: Flow,
    inbound: &Sender<Inbound>,
    pong: tokio::sync::mpsc::WeakSender<Arc<[u8]>>,
) {
    let mut framer = Framer::default();
    let mut buffer = [0; 4096];
    let first_by = tokio::time::sleep(FIRST_MESSAGE_WITHIN);
    tokio::pin!(first_by);
    let mut spoke = false;
    loop {
        let read = tokio::select! {
            read = reader.read(&mut buffer) => read,
            () = &mut first_by, if !spoke => return,
        };
        let Some(bytes) = read.ok().filter(|length| *length > 0).and_then(|length| buffer.get_mut(..length)) else {
            return;
        };
        framer.feed(bytes);
        bytes.zeroize();
        while let Some(frame) = framer.poll_frame() {
            spoke = true;
            let (bytes, fatal) = match frame {
                Frame::Ping => {
                    if let Some(outbound) = pong.upgrade() {
                        let _ = outbound.try_send(Arc::from(&b"\r\n"[..]));
                    }
                    continue;
                }
                Frame::Message(bytes) => (bytes, false),
                Frame::Fatal(bytes) => (bytes, true),
            };
            if inbound.send(Inbound::Message(flow, bytes)).await.is_err() {
                return;
            }
            if fatal {
                // Time for the answer to go out before the connection is closed.
                tokio::time::sleep(Duration::from_millis(200)).await;
                return;
            }
        }
    }
}
