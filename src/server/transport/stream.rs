//! The connections of SIP: TCP, and TLS over it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};
use zeroize::Zeroize;

use super::Inbound;
use super::connections::{Connections, Place};
use super::tls::Certificates;
use super::waiting::{Intake, Outbound, Outgoing, Rooms, WeakOutbound};
use crate::server::clock::Clock;
use crate::sip::{Connect, Flow, Transport};
use crate::wire::sip::{Frame, Framer};

/// A TLS handshake that takes longer closes the connection.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// A message that is not whole by then closes the connection.
const MESSAGE_WITHIN: Duration = Duration::from_secs(30);
/// A stranger's connection on which nobody has shown a password by then, from its beginning, is closed whatever is said on
/// it. No call waits on such a one, as none is let in without.
const PROVEN_WITHIN: Duration = Duration::from_secs(60);
/// A connection on which nothing has come for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(3600);
/// A write that takes longer closes the connection.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// A connection of ours that is not up within this is given up.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long the end of a TLS connection may take to be told.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);
/// Time for an answer to go out before a connection is closed that can't be followed any further.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What all connections share.
#[derive(Clone)]
pub struct Lines {
    /// Which there are.
    pub connections: Arc<Connections>,
    /// Where messages go.
    pub intake: Intake,
    /// What may wait for them together.
    pub rooms: Arc<Rooms>,
    /// How long they are waited for.
    pub patience: Patience,
    /// By which new ones are counted.
    pub clock: Clock,
}

/// How long a connection is waited for before it is closed.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For its first message to be whole, from its beginning, and for a later one, from that one's first byte.
    pub message: Duration,
    /// For a stranger to show a password, from the connection's beginning.
    pub proof: Duration,
    /// For a byte.
    pub idle: Duration,
    /// Until a message is written.
    pub write: Duration,
    /// Until a connection of ours is up.
    pub connect: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: HANDSHAKE_WITHIN,
            message: MESSAGE_WITHIN,
            proof: PROVEN_WITHIN,
            idle: IDLE_MAX,
            write: WRITE_WITHIN,
            connect: CONNECT_WITHIN,
        }
    }
}

impl Patience {
    /// For whom calls last at most this long: no call loses its connection because nothing is said on it.
    pub fn with_calls_of(longest: Duration) -> Self {
        let patience = Self::default();
        Self { idle: patience.idle.max(longest * 2), ..patience }
    }
}

/// Takes connections, by TLS where there are certificates.
pub async fn accept(listener: TcpListener, lines: Lines, certificates: Option<Arc<Certificates>>) {
    let mut refused: u64 = 0;
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, as a rule: wait until some are given back.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Some(place) = lines.connections.admit(lines.clock.now(), peer.ip()) else {
            refused += 1;
            // Ever more seldom: a flood of connections must be none of lines.
            if refused.is_power_of_two() {
                tracing::warn!(%peer, refused, "too many connections, or too often: closed");
            }
            continue;
        };
        let (lines, certificates) = (lines.clone(), certificates.clone());
        tokio::spawn(async move {
            let id = place.id();
            tokio::select! {
                biased;
                () = place.cut_off() => tracing::debug!(%peer, "the connection is cut off"),
                () = place.remains_unproven(lines.patience.proof) => tracing::debug!(%peer, "nobody was let in: closed"),
                () = serve(stream, peer, &place, &lines, certificates) => {}
            }
            drop(place);
            lines.intake.tell(Inbound::Closed(id)).await;
        });
    }
}

/// Connects to a peer: the way of its messages, and the queue of those that go there, which closes the connection when
/// it is dropped.
pub async fn connect(lines: &Lines, peer: SocketAddr) -> std::io::Result<(Flow, Outbound)> {
    let (stream, flow, place) = dial(lines, peer, None).await?;
    let (outbound, queue) = lines.rooms.queue(place.is_trusted());
    let pong = outbound.downgrade();
    tokio::spawn(carry_own(stream, flow, queue, lines.clone(), place, pong));
    Ok((flow, outbound))
}

/// Connects for the endpoint, which is told of the connection as of any other, and what came of it.
pub async fn reach(lines: Lines, connect: Connect) {
    let (stream, flow, place) = match dial(&lines, connect.to, Some(connect.from)).await {
        Ok(up) => up,
        Err(error) => {
            tracing::debug!(peer = %connect.to, %error, "no connection");
            lines.intake.tell(Inbound::Connected(connect, None)).await;
            return;
        }
    };
    let (outbound, queue) = lines.rooms.queue(place.is_trusted());
    let pong = outbound.downgrade();
    lines.intake.tell(Inbound::Opened(place.id(), outbound)).await;
    lines.intake.tell(Inbound::Connected(connect, Some(flow))).await;
    carry_own(stream, flow, queue, lines, place, pong).await;
}

/// A connection of ours, from one of our addresses where it matters which.
async fn dial(lines: &Lines, peer: SocketAddr, from: Option<IpAddr>) -> std::io::Result<(TcpStream, Flow, Place)> {
    let Some(place) = lines.connections.open_own(peer.ip()) else {
        return Err(std::io::Error::other("too many connections"));
    };
    let socket = if peer.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let stream = timeout(lines.patience.connect, socket.connect(peer)).await??;
    let _ = stream.set_nodelay(true);
    let flow = Flow { transport: Transport::Tcp(place.id()), peer, local: stream.local_addr()? };
    Ok((stream, flow, place))
}

async fn carry_own(
    stream: TcpStream,
    flow: Flow,
    queue: Receiver<Outgoing>,
    lines: Lines,
    place: Place,
    pong: WeakOutbound,
) {
    let id = place.id();
    tokio::select! {
        biased;
        () = place.cut_off() => {}
        () = carry(stream, flow, queue, &lines, &place, pong) => {}
    }
    drop(place);
    lines.intake.tell(Inbound::Closed(id)).await;
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    place: &Place,
    lines: &Lines,
    certificates: Option<Arc<Certificates>>,
) {
    let Ok(local) = stream.local_addr() else { return };
    let _ = stream.set_nodelay(true);
    match certificates {
        None => {
            let flow = Flow { transport: Transport::Tcp(place.id()), peer, local };
            open(stream, flow, place, lines).await;
        }
        Some(certificates) => {
            let flow = Flow { transport: Transport::Tls(place.id()), peer, local };
            match timeout(lines.patience.handshake, certificates.acceptor().accept(stream)).await {
                Ok(Ok(stream)) => {
                    // Where clients need one, it was checked: who gets here has it.
                    if stream.get_ref().1.peer_certificates().is_some() {
                        lines.connections.keep(place.id());
                    }
                    open(stream, flow, place, lines).await;
                }
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            }
        }
    }
}

/// Tells of the connection, and carries its messages.
async fn open<S: AsyncRead + AsyncWrite>(stream: S, flow: Flow, place: &Place, lines: &Lines) {
    let (outbound, queue) = lines.rooms.queue(place.is_trusted());
    // Only the endpoint's side keeps it: dropping it there closes the connection.
    let pong = outbound.downgrade();
    if !lines.intake.tell(Inbound::Opened(place.id(), outbound)).await {
        return;
    }
    carry(stream, flow, queue, lines, place, pong).await;
}

/// Reads and writes until either side closes.
async fn carry<S: AsyncRead + AsyncWrite>(
    stream: S,
    flow: Flow,
    queue: Receiver<Outgoing>,
    lines: &Lines,
    place: &Place,
    pong: WeakOutbound,
) {
    let (reader, writer) = tokio::io::split(stream);
    tokio::select! {
        () = write_messages(writer, queue, lines.patience.write) => {}
        () = read_messages(reader, flow, lines, place, pong) => {}
    }
}

async fn write_messages(mut writer: impl AsyncWrite + Unpin, mut queue: Receiver<Outgoing>, within: Duration) {
    while let Some(outgoing) = queue.recv().await {
        let written = async {
            writer.write_all(&outgoing.bytes).await?;
            writer.flush().await
        };
        match timeout(within, written).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    let _ = timeout(GOODBYE_WITHIN, writer.shutdown()).await;
}

async fn read_messages(
    mut reader: impl AsyncRead + Unpin,
    flow: Flow,
    lines: &Lines,
    place: &Place,
    pong: WeakOutbound,
) {
    let mut framer = Framer::default();
    let mut buffer = [0; 4096];
    let whole_by = sleep(lines.patience.message);
    tokio::pin!(whole_by);
    let (mut is_due, mut spoke) = (true, false);
    loop {
        let read = tokio::select! {
            read = timeout(lines.patience.idle, reader.read(&mut buffer)) => read.unwrap_or(Ok(0)),
            () = &mut whole_by, if is_due => return,
        };
        let Some(bytes) = read.ok().filter(|length| *length > 0).and_then(|length| buffer.get_mut(..length)) else {
            return;
        };
        framer.feed(bytes);
        // An INFO's has a key in it.
        bytes.zeroize();
        let mut whole = false;
        while let Some(frame) = framer.poll_frame() {
            let (bytes, fatal) = match frame {
                Frame::Ping => {
                    if let Some(outbound) = pong.upgrade() {
                        // Where there is no room for it, who pings may ask again.
                        let _ = outbound.send(Arc::from(&b"\r\n"[..]));
                    }
                    continue;
                }
                Frame::Message(bytes) => (bytes, false),
                Frame::Fatal(bytes) => (bytes, true),
            };
            if !std::mem::replace(&mut spoke, true) {
                place.has_spoken();
            }
            whole = true;
            if !lines.intake.pass(flow, bytes).await {
                return;
            }
            if fatal {
                sleep(LAST_WORDS).await;
                return;
            }
        }
        if spoke {
            if framer.is_within() && (whole || !is_due) {
                whole_by.set(sleep(lines.patience.message));
            }
            is_due = framer.is_within();
        }
    }
}
