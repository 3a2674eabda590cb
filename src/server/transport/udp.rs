//! The UDP sockets of SIP.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};
use std::sync::Arc;

use tokio::net::UdpSocket;
use zeroize::Zeroize;

use super::waiting::Intake;
use crate::sip::{Flow, Transport};

/// Largest SIP datagram, in bytes: all that UDP can carry.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// Whether a socket is the one that a flow goes out by.
pub fn serves(local: &SocketAddr, flow: &Flow) -> bool {
    local.port() == flow.local.port()
        && local.is_ipv4() == flow.local.is_ipv4()
        && (local.ip() == flow.local.ip() || local.ip().is_unspecified())
}

/// Reads until nobody takes what comes in.
pub async fn read_datagrams(local: SocketAddr, socket: Arc<UdpSocket>, intake: Intake) {
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
        let is_open = intake.pass_or_drop(flow, bytes);
        // An INFO's has a key in it.
        bytes.zeroize();
        if !is_open {
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

/// Asks the kernel by which of our addresses a peer is reached, by connecting a socket; nothing is sent.
pub fn route(bound: SocketAddr, peer: SocketAddr) -> Option<IpAddr> {
    let socket = StdUdpSocket::bind(SocketAddr::new(bound.ip(), 0)).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn so_many_routes_are_remembered_and_then_all_are_asked_for_again() {
        let mut routes = Routes::default();
        let bound = SocketAddr::from(([0, 0, 0, 0], 5060));
        for n in 0..Routes::PEERS_MAX as u32 {
            let peer = Ipv4Addr::from(0x7F01_0000 + n);
            assert!(routes.local(bound, SocketAddr::from((peer, 5060))).ip().is_loopback());
        }
        assert_eq!(routes.0.len(), Routes::PEERS_MAX);
        routes.local(bound, SocketAddr::from(([127, 1, 0, 0], 5060)));
        assert_eq!(routes.0.len(), 1);
    }
}
