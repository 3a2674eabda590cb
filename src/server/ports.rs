//! Pairs of UDP ports for calls: RTP on the even one, RTCP on the next.

use std::collections::{HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use crate::config::PortRange;
use crate::model::Mono;

/// Pairs tried before a call is refused.
const TRIES_MAX: usize = 200;
/// From the end of a call, how long its pair is given to no other one: what is still on its way would else be taken for
/// the new caller's. Long enough for the BYE to come, and short enough for 2000 calls a second in the configured range.
const REST: Duration = Duration::from_secs(2);
/// The receive buffer of an RTP socket, in bytes as the kernel counts them: what 50,000 small packets a second bring in the
/// 20 ms between two frames, so that a flood does not crowd out the caller's. Where `net.core.rmem_max` is less, that.
const RTP_BUFFER_BYTES: usize = 512 * 1024;

/// Hands out pairs, going round the range so that a port rests for as long as can be before it is used again, and
/// [`REST`] at least.
#[derive(Debug)]
pub struct Ports {
    range: PortRange,
    next: u16,
    /// Files and sockets of the process that calls may use.
    files_max: u64,
    /// The RTP ports of calls that have ended, and when, the first first; no more than there are pairs.
    resting: VecDeque<(Mono, u16)>,
    /// The same ports.
    rests: HashSet<u16>,
}

impl Ports {
    /// Begins somewhere in the range, by `random`: after a restart phones may still send to the ports of before. No call
    /// gets a pair that would be beyond the `files_max` first files of the process.
    pub fn new(range: PortRange, random: u16, files_max: u64) -> Self {
        let first = range.first.next_multiple_of(2);
        let pairs = (range.last.saturating_sub(first).saturating_add(1) / 2).max(1);
        let next = first.saturating_add(random % pairs * 2);
        Self { range, next, files_max, resting: VecDeque::new(), rests: HashSet::new() }
    }

    /// Notes that the call whose RTP port this is has ended.
    pub fn release(&mut self, now: Mono, port: u16) {
        if self.rests.insert(port) {
            self.resting.push_back((now, port));
        }
    }

    /// Binds a pair on an address, non-blocking; `None` where [`TRIES_MAX`] pairs in a row are in use, rest or can't be
    /// bound, or calls use as many files as they may.
    pub fn bind(&mut self, now: Mono, ip: IpAddr) -> Option<(UdpSocket, UdpSocket)> {
        while let Some((_, rested)) = self.resting.pop_front_if(|(since, _)| now.since(*since) >= REST) {
            self.rests.remove(&rested);
        }
        let mut pairs = (0..TRIES_MAX).filter_map(|_| {
            let port = self.advance();
            if self.rests.contains(&port) {
                return None;
            }
            let rtp = bind(ip, port)?;
            let rtcp = bind(ip, port + 1)?;
            // What the kernel gives by default is enough but in a flood.
            let _ = socket2::SockRef::from(&rtp).set_recv_buffer_size(RTP_BUFFER_BYTES);
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
        let mut bind = || ports.bind(Mono(0), ip);
        let (first, second, third) = (bind().expect("a pair"), bind().expect("a pair"), bind().expect("a pair"));
        assert_eq!((port(&first), port(&second), port(&third)), (Some(42_002), Some(42_004), Some(42_006)));
        assert!(bind().is_none(), "all are in use");
        drop(second);
        assert_eq!(bind().as_ref().and_then(port), Some(42_004));
    }

    /// A late packet of the call that had the port would be taken for the new caller's.
    #[test]
    fn the_port_of_a_call_that_has_ended_rests() {
        let ip = IpAddr::from([127, 9, 8, 6]);
        let at = |ms: u64| Mono(ms * 1000);
        let mut ports = Ports::new(PortRange { first: 42_000, last: 42_003 }, 0, 1 << 20);
        let port = |pair: Option<(UdpSocket, UdpSocket)>| pair.and_then(|pair| Some(pair.0.local_addr().ok()?.port()));
        assert_eq!(port(ports.bind(at(0), ip)), Some(42_000));
        ports.release(at(100), 42_000);
        assert_eq!((port(ports.bind(at(200), ip)), port(ports.bind(at(200), ip))), (Some(42_002), Some(42_002)));
        ports.release(at(300), 42_002);
        assert_eq!(port(ports.bind(at(2099), ip)), None, "both rest");
        assert_eq!(port(ports.bind(at(2100), ip)), Some(42_000));
        assert_eq!(port(ports.bind(at(9000), ip)), Some(42_002), "none rests for longer");
        assert!(ports.resting.is_empty() && ports.rests.is_empty());
    }

    #[test]
    fn calls_leave_files_for_the_rest() {
        let ip = IpAddr::from([127, 9, 8, 6]);
        let mut ports = Ports::new(PortRange { first: 42_000, last: 42_999 }, 0, 3);
        assert!(ports.bind(Mono(0), ip).is_none(), "three are open at least: standard input, output and error");
        ports.files_max = 1 << 20;
        assert!(ports.bind(Mono(0), ip).is_some());
    }

    #[test]
    fn the_receive_buffer_holds_a_flood_of_a_frame() {
        let mut ports = Ports::new(PortRange { first: 42_100, last: 42_103 }, 0, 1 << 20);
        let (rtp, rtcp) = ports.bind(Mono(0), IpAddr::from([127, 9, 8, 5])).expect("a pair");
        let bytes = |socket: &UdpSocket| socket2::SockRef::from(socket).recv_buffer_size().expect("its size");
        assert!(bytes(&rtp) > bytes(&rtcp), "{} bytes, by default {}", bytes(&rtp), bytes(&rtcp));
    }
}
