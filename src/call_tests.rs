//! What a call does between its two machines.

use super::*;
use crate::media::session::KeysBy;
use crate::wire::g711::Law;

fn call(event_payload_type: Option<u8>) -> Call {
    let address = |port| SocketAddr::from(([10, 0, 0, 5], port));
    let agreed = Agreed {
        rtp: address(4000),
        rtcp: address(4001),
        law: Law::Mu,
        event_payload_type,
        receives: true,
        sends: true,
    };
    let keys_by = KeysBy { events: true, info: true, inband: true };
    let start = Start { ssrc: 1, sequence: 1, timestamp: 1, keys_by };
    let record = RecordLimits { silence: Duration::from_secs(4), length: Duration::from_secs(300) };
    let limits = CallLimits { menu: Limits::default(), record, rtp_silence: Duration::from_secs(60) };
    Call::new(Mono(0), agreed, start, CallerInfo::default(), Arc::default(), Arc::new(limits))
}

/// Keys may come before the ACK: it was lost, or has been overtaken.
#[test]
fn keys_before_the_ack_are_typed_ahead() {
    let mut call = call(None);
    for key in "1000#9048".chars() {
        call.handle_info(Mono(1), key);
    }
    assert_eq!((call.keys_heard(), call.place()), (9, "ringing"));
    call.handle_confirmed(Mono(2));
    assert_eq!(call.place(), "enter-pin");
    for key in "26#".chars() {
        call.handle_info(Mono(3), key);
    }
    let Some(Output::Ask(_, Actor::Caller, Action::Login { extension, pin })) = call.poll_output() else {
        panic!("no login was asked for");
    };
    assert_eq!((extension.as_str(), pin.digits()), ("1000", "904826"));
}

#[test]
fn nothing_is_heard_after_the_end() {
    let mut call = call(None);
    call.handle_confirmed(Mono(0));
    call.handle_hung_up(Mono(1));
    call.handle_info(Mono(2), '1');
    assert_eq!((call.keys_heard(), call.poll_output(), call.is_over()), (0, None, true));
    assert_eq!(call.frame(Mono(20_000), &mut [0; PACKET_BYTES]), None);
}
