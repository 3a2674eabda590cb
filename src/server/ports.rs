//! Pairs of UDP ports for calls: RTP on the even one, RTCP on the next.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::config::PortRange;

/// Pairs tried before a call is refused.
const TRIES_MAX: usize = 200;
/// The receive buffer of an RTP socket, in bytes as the kernel counts them: what 50,000 small packets a second bring in the
/// 20 ms between two frames, so that a flood does not crowd out the caller's. Where `net.core.rmem_max` is less, that.
const RTP_BUFFER_BYTES: usize = 512 * 1024;

/// Hands out pairs, going round the range so that a port rests before it is used again.
#[derive(Debug)]
pub struct Ports {
    range: PortRange,
    next: u16,
}

impl Ports {
    /// Begins somewhere in the range, by `random`: after a restart phones may still send to the ports of before.
    pub fn new(range: PortRange, random: u16) -> Self {
        let first = range.first.next_multiple_of(2);
        let pairs = (range.last.saturating_sub(first).saturating_add(1) / 2).max(1);
        Self { range, next: first.saturating_add(random % pairs * 2) }
    }

    /// Binds a pair on an address, non-blocking; `None` where [`TRIES_MAX`] pairs in a row are in use or can't be bound.
    pub fn bind(&mut self, ip: IpAddr) -> Option<(UdpSocket, UdpSocket)> {
        (0..TRIES_MAX).find_map(|_| {
            let port = self.advance();
            let rtp = bind(ip, port)?;
            let rtcp = bind(ip, port + 1)?;
            // What the kernel gives by default is enough but in a flood.
            let _ = socket2::SockRef::from(&rtp).set_recv_buffer_size(RTP_BUFFER_BYTES);
            Some((rtp, rtcp))
        })
    }

    fn advance(&mut self) -> u16 {
        let port = self.next;
        let next = port.checked_add(2).filter(|next| next.checked_add(1).is_some_and(|odd| odd <= self.range.last));
        self.next = next.unwrap_or_else(|| self.range.first.next_multiple_of(2));
        port
    }
}

fn bind(ip: IpAddr, port: u16) -> Option<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddr::new(ip, port)).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_go_round_the_range_and_leave_out_what_is_in_use() {
        let ip = IpAddr::from([127, 9, 8, 7]);
        let mut ports = Ports::new(PortRange { first: 42_001, last: 42_007 }, 3);
        let port = |pair: &(UdpSocket, UdpSocket)| pair.0.local_addr().map(|a| a.port()).ok();
        let first = ports.bind(ip).expect("a pair");
        let second = ports.bind(ip).expect("a pair");
        let third = ports.bind(ip).expect("a pair");
        assert_eq!((port(&first), port(&second), port(&third)), (Some(42_002), Some(42_004), Some(42_006)));
        assert!(ports.bind(ip).is_none(), "all are in use");
        drop(second);
        assert_eq!(ports.bind(ip).as_ref().and_then(port), Some(42_004));
    }

    #[test]
    fn the_receive_buffer_holds_a_flood_of_a_frame() {
        let mut ports = Ports::new(PortRange { first: 42_100, last: 42_103 }, 0);
        let (rtp, rtcp) = ports.bind(IpAddr::from([127, 9, 8, 5])).expect("a pair");
        let bytes = |socket: &UdpSocket| socket2::SockRef::from(socket).recv_buffer_size().expect("its size");
        assert!(bytes(&rtp) > bytes(&rtcp), "{} bytes, by default {}", bytes(&rtp), bytes(&rtcp));
    }
}
