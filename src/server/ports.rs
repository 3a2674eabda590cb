//! Pairs of UDP ports for calls: RTP on the even one, RTCP on the next.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;

use crate::config::PortRange;

/// Pairs tried before a call is refused.
const TRIES_MAX: usize = 200;

/// Hands out pairs, going round the range so that a port rests before it is used again.
#[derive(Debug)]
pub struct Ports {
    range: PortRange,
    next: u16,
    /// Files and sockets of the process that calls may use.
    files_max: u64,
}

impl Ports {
    /// Begins somewhere in the range, by `random`: after a restart phones may still send to the ports of before. No call
    /// gets a pair that would be beyond the `files_max` first files of the process.
    pub fn new(range: PortRange, random: u16, files_max: u64) -> Self {
        let first = range.first.next_multiple_of(2);
        let pairs = (range.last.saturating_sub(first).saturating_add(1) / 2).max(1);
        Self { range, next: first.saturating_add(random % pairs * 2), files_max }
    }

    /// Binds a pair on an address, non-blocking; `None` where [`TRIES_MAX`] pairs in a row are in use or can't be bound,
    /// or calls use as many files as they may.
    pub fn bind(&mut self, ip: IpAddr) -> Option<(UdpSocket, UdpSocket)> {
        let mut pairs = (0..TRIES_MAX).filter_map(|_| {
            let port = self.advance();
            let rtp = bind(ip, port)?;
            let rtcp = bind(ip, port + 1)?;
            Some((rtp, rtcp))
        });
        let pair = pairs.next();
        // The system gives the lowest number that is free, so the number tells how many are in use.
        let fits = |socket: &UdpSocket| u64::try_from(socket.as_raw_fd()).is_ok_and(|number| number < self.files_max);
        pair.filter(|(rtp, rtcp)| fits(rtp) && fits(rtcp))
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
        let mut ports = Ports::new(PortRange { first: 42_001, last: 42_007 }, 3, 1 << 20);
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
    fn calls_leave_files_for_the_rest() {
        let ip = IpAddr::from([127, 9, 8, 6]);
        let mut ports = Ports::new(PortRange { first: 42_000, last: 42_999 }, 0, 3);
        assert!(ports.bind(ip).is_none(), "three are open at least: standard input, output and error");
        ports.files_max = 1 << 20;
        assert!(ports.bind(ip).is_some());
    }
}
