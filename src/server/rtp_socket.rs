//! A call's RTP socket. Once only one address can send what is the call's own, the kernel lets nothing else in, so that a
//! flood from elsewhere does not fill the receive buffer between two frames.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

/// The socket.
#[derive(Debug)]
pub struct RtpSocket {
    socket: UdpSocket,
    only: Option<SocketAddr>,
}

impl RtpSocket {
    /// Of a non-blocking socket that takes datagrams from everywhere.
    pub fn new(socket: UdpSocket) -> Self {
        Self { socket, only: None }
    }

    /// From now on takes datagrams from that address only; with `None` from everywhere.
    pub fn take_only(&mut self, from: Option<SocketAddr>) {
        if from == self.only {
            return;
        }
        self.only = from;
        // Where the kernel refuses, strangers go on to be told apart by the session.
        let _ = match from {
            Some(address) => self.socket.connect(address),
            None => rustix::net::connect_unspec(&self.socket).map_err(Into::into),
        };
    }

    /// The next datagram; `None` where there is none. One that does not fit is cut off, and refused by its length.
    pub fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        receive(&self.socket, buffer)
    }

    /// Sends a packet. A full send buffer or an unreachable peer loses it, as the network might.
    pub fn send(&self, packet: &[u8], to: SocketAddr) {
        // What ICMP said of an earlier one is told now, once, and says nothing of this one.
        if self.socket.send_to(packet, to).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
            let _ = self.socket.send_to(packet, to);
        }
    }
}

/// The next datagram of a non-blocking socket; `None` where there is none.
pub fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buffer) {
            Ok(received) => return Some(received),
            // By a signal, or by what ICMP said of a packet that was sent.
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionRefused) => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn bound(last: u8) -> UdpSocket {
        let socket = UdpSocket::bind(SocketAddr::from(([127, 9, 7, last], 0))).expect("a port");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
        socket
    }

    fn ours() -> (RtpSocket, SocketAddr) {
        // A port that was asked for, as a call's is: one that the kernel chose goes with the connection.
        let address = bound(1).local_addr().expect("its address");
        let socket = UdpSocket::bind(address).expect("the same port");
        socket.set_nonblocking(true).expect("no waiting");
        (RtpSocket::new(socket), address)
    }

    /// What has come, by its one byte; on the loopback it is there once it was sent.
    fn received(socket: &RtpSocket) -> Vec<u8> {
        let mut buffer = [0; 10];
        std::iter::from_fn(|| socket.receive(&mut buffer).map(|_| buffer[0])).collect()
    }

    #[test]
    fn a_flood_from_elsewhere_does_not_crowd_out_the_caller() {
        let (mut socket, address) = ours();
        let (caller, stranger) = (bound(2), bound(3));
        let flood = || (0..20_000).for_each(|_| drop(stranger.send_to(&[66; 172], address)));
        let say = |byte: u8| caller.send_to(&[byte], address).expect("sent");
        let from = caller.local_addr().ok();
        say(1);
        assert_eq!(received(&socket), [1]);
        socket.take_only(from);
        flood();
        say(2);
        assert_eq!(received(&socket), [2]);
        socket.send(&[3], caller.local_addr().expect("its address"));
        assert_eq!(caller.recv_from(&mut [0; 10]).ok(), Some((1, address)));
        socket.take_only(None);
        stranger.send_to(&[4], address).expect("sent");
        say(5);
        assert_eq!(received(&socket), [4, 5], "an offer has opened it again");
        socket.take_only(stranger.local_addr().ok());
        say(6);
        stranger.send_to(&[7], address).expect("sent");
        assert_eq!(received(&socket), [7]);
    }

    /// ICMP says that nobody is at the caller's port: a phone that starts anew, or a forger.
    #[test]
    fn a_port_that_was_closed_for_a_while_costs_no_later_packet() {
        let (mut socket, address) = ours();
        let caller = bound(2);
        let from = caller.local_addr().expect("its address");
        socket.take_only(Some(from));
        drop(caller);
        socket.send(&[1], from);
        let caller = UdpSocket::bind(from).expect("the same port");
        caller.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
        socket.send(&[2], from);
        let mut buffer = [0; 10];
        caller.recv_from(&mut buffer).expect("the packet after the refusal");
        assert_eq!(buffer[0], 2);
        socket.send(&[3], from);
        caller.send_to(&[4], address).expect("sent");
        assert_eq!(received(&socket), [4]);
    }
}
