//! A flood at the RTCP port of a call.

use std::net::{IpAddr, SocketAddr};

use super::*;
use crate::call::CallLimits;
use crate::media::recorder::RecordLimits;
use crate::media::session::{KeysBy, Start};
use crate::menu::{CallerInfo, Limits};
use crate::wire::g711::Law;
use crate::wire::rtcp::{Received, Report};

/// Our source.
const SSRC: u32 = 0xABCD;
/// Frames of the call: more than twice as many packets as go to who shows nothing of wanting them.
const FRAMES: u32 = 600;
/// Datagrams of the stranger's in each frame, 5000 a second: more than a receive buffer has room for in four frames.
const FLOOD: usize = 100;

/// Whoever is asked does nothing.
struct Nobody;

impl Outside for Nobody {
    fn ask(&self, _: &Thread, _: Asker, _: Ticket, _: Actor, _: Action) {}
    fn finish(&self, _: &Thread, _: CallId, _: Option<Ticket>, _: RawTake) {}
    fn hang_up(&self, _: CallId) {}
}

fn bound(last: u8) -> UdpSocket {
    let socket = UdpSocket::bind((IpAddr::from([127, 9, 6, last]), 0)).expect("a port");
    socket.set_nonblocking(true).expect("no waiting");
    socket
}

fn address(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("its address")
}

/// A call that is talking: SIP is at one host, the media at the phone's.
fn call(rtp: SocketAddr, rtcp: SocketAddr) -> Call {
    let agreed =
        Agreed { rtp, rtcp, law: Law::Mu, event_payload_type: None, receives: true, sends: true, security: None };
    let keys_by = KeysBy { events: true, info: true, inband: false };
    let hour = Duration::from_secs(3600);
    let limits = CallLimits {
        menu: Limits { first_key: hour, ..Limits::default() },
        record: RecordLimits { silence: hour, length: hour },
        rtp_silence: hour,
    };
    let start = Start { ssrc: SSRC, sequence: 1, timestamp: 1, keys_by };
    let call = Call::new(Mono(0), agreed, start, CallerInfo::default(), Arc::default(), Arc::new(limits));
    let mut call = call.called_from(IpAddr::from([127, 9, 6, 1]));
    call.handle_confirmed(Mono(0));
    call
}

/// The media go to another host than SIP, so they stop where nothing shows that they are wanted there. The phone says
/// nothing and is heard to listen by its reports alone.
#[test]
fn a_flood_at_the_rtcp_port_does_not_keep_the_callers_reports_out() {
    let (phone, reports, stranger) = (bound(2), bound(2), bound(3));
    let (rtp, rtcp) = (bound(4), bound(4));
    let target = address(&rtcp);
    let mut running = Running {
        id: CallId(1),
        caller: Arc::new(Caller { source: String::new(), extension: None }),
        call: call(address(&phone), address(&reports)),
        rtp: RtpSocket::new(rtp),
        rtcp,
        frames: 0,
        is_rtcp_flooded: false,
    };
    let (commands, _inbox) = sync_channel(1);
    let handle = Thread { commands, calls: Arc::default() };
    let mut driver = Driver::new(Clock::start(), Arc::new(Nobody), handle);

    let received = Received { ssrc: SSRC, ..Received::default() };
    let mut report = [0; REPORT_BYTES_MAX];
    let length =
        Report { ssrc: 5, sent: None, received: Some(received), cname: "phone", bye: false }.write(&mut report);
    let mut heard = 0;
    for frame in 1..=FRAMES {
        for _ in 0..FLOOD {
            let _ = stranger.send_to(&report[..length], target);
        }
        if frame.is_multiple_of(RTCP_EVERY.into()) {
            let _ = reports.send_to(&report[..length], target);
        }
        driver.serve_call(&mut running);
        while phone.recv_from(&mut [0; PACKET_BYTES]).is_ok() {
            heard += 1;
        }
    }
    assert_eq!(heard, FRAMES, "packets that the phone got");
}
