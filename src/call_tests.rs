//! What a call does between its two machines.

use super::*;
use crate::access::{Permissions, Refusal, Role, Session};
use crate::media::session::KeysBy;
use crate::model::{AccountId, Audio, ChangeNumber, Extension};
use crate::wire::g711::Law;

fn call(event_payload_type: Option<u8>) -> Call {
    call_of(CallerInfo::default(), Arc::default(), event_payload_type)
}

fn call_of(caller: CallerInfo, prompts: Arc<Prompts>, event_payload_type: Option<u8>) -> Call {
    call_within(Limits::default(), caller, prompts, event_payload_type)
}

fn call_within(menu: Limits, caller: CallerInfo, prompts: Arc<Prompts>, event_payload_type: Option<u8>) -> Call {
    let keys_by = KeysBy { events: true, info: true, inband: true };
    let start = Start { ssrc: 1, sequence: 1, timestamp: 1, keys_by };
    let record = RecordLimits { silence: Duration::from_secs(4), length: Duration::from_secs(300) };
    let limits = CallLimits { menu, record, rtp_silence: Duration::from_secs(60) };
    Call::new(Mono(0), agreed(event_payload_type), start, caller, prompts, Arc::new(limits))
}

fn agreed(event_payload_type: Option<u8>) -> Agreed {
    let address = |port| SocketAddr::from(([10, 0, 0, 5], port));
    Agreed {
        rtp: address(4000),
        rtcp: address(4001),
        law: Law::Mu,
        event_payload_type,
        receives: true,
        sends: true,
        security: None,
    }
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

/// The BYE was lost: a minute after the caller's last packet we hang up, however many strangers go on sending.
#[test]
fn a_lost_bye_ends_the_call_after_a_minute_without_rtp() {
    // The dialogue's own patience is not what is tested.
    let patient = Limits { first_key: Duration::from_secs(600), ..Limits::default() };
    let mut call = call_within(patient, CallerInfo::default(), Arc::default(), Some(101));
    let mut clock = Clock(0);
    call.handle_confirmed(clock.now());
    let mut datagram = [0xFF; 172];
    datagram[..12].copy_from_slice(&[0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 9]);
    let caller = SocketAddr::from(([10, 0, 0, 5], 4000));
    for second in 0..5 {
        assert!(call.handle_rtp(clock.now(), caller, &datagram));
        datagram[3] += 1;
        clock.frames(&mut call, 50);
        assert_eq!((second, call.poll_output()), (second, None));
    }
    let stranger = SocketAddr::from(([10, 0, 0, 6], 4000));
    let ended = (0..70 * 50).find(|n: &u64| {
        call.handle_rtp(clock.now(), stranger, &datagram);
        datagram[11] = 10;
        call.handle_rtp(clock.now(), caller, &datagram);
        if n.is_multiple_of(250) {
            call.handle_rtcp(clock.now(), caller, &[0x80, 203, 0, 1, 0, 0, 0, 9]);
        }
        clock.frames(&mut call, 1);
        call.poll_output().is_some_and(|output| output == Output::HangUp)
    });
    // The last packet came a second before the strangers began.
    assert_eq!(ended, Some(59 * 50 - 1));
    assert!(call.is_over());
}

/// A phone that only listens, and whose SIP asks now and then whether we are there (a session timer).
#[test]
fn who_only_listens_is_heard_by_its_requests_and_the_call_ends_a_minute_after_the_last() {
    let patient = Limits { first_key: Duration::from_secs(3600), ..Limits::default() };
    let mut call = call_within(patient, CallerInfo::default(), Arc::default(), Some(101));
    let mut clock = Clock(0);
    call.handle_confirmed(clock.now());
    call.handle_renegotiated(clock.now(), Agreed { sends: false, ..agreed(Some(101)) });
    for minute in 0..5 {
        clock.frames(&mut call, 59 * 50);
        assert_eq!((minute, call.poll_output()), (minute, None));
        call.handle_request(clock.now());
    }
    clock.frames(&mut call, 59 * 50);
    assert_eq!(call.poll_output(), None);
    clock.frames(&mut call, 50);
    assert_eq!((call.poll_output(), call.is_over()), (Some(Output::HangUp), true));
}

/// The caller says "keep" and hangs up before the store has answered that it can't: the take becomes the draft.
#[test]
fn a_take_that_could_not_be_kept_after_the_hang_up_becomes_the_draft() {
    for (reply, saved) in [(Reply::Refused(Refusal::TryLater), true), (Reply::Changed(ChangeNumber(7)), false)] {
        let mut clock = Clock(0);
        let mut call = recording(&mut clock);
        call.handle_info(clock.now(), '#');
        let Some(Output::Finish(Some(ticket), _)) = call.poll_output() else { panic!("no take") };
        let take = Take { audio: Audio(vec![900; 8000].into()), verdict: None };
        call.handle_take(clock.now(), Some(ticket), take);
        let (ticket, action) = clock.keys(&mut call, "2");
        assert!(matches!(action, Action::KeepRecording { .. }), "{action:?}");

        call.handle_hung_up(clock.now());
        assert_eq!((call.poll_output(), call.is_over()), (None, false), "the answer is waited for");
        call.handle_reply(clock.now(), ticket, reply);
        let asked = matches!(call.poll_output(), Some(Output::Ask(_, _, Action::SaveDraft { .. })));
        assert_eq!((asked, call.is_over()), (saved, true));
    }
}

/// A minute of keys at that distance; how many the dialogue was given, and how many were dropped.
fn keys_each(ms: u64) -> (u32, u32) {
    let mut call = call(None);
    call.handle_confirmed(Mono(0));
    for n in 0..60_000 / ms {
        call.handle_info(Mono(n * ms * 1000), '0');
    }
    (call.keys_heard(), call.dropped().0)
}

/// An autodialler presses ten a second; a program that makes keys of packets has no use for more than a few more.
#[test]
fn keys_that_nobody_presses_are_dropped_and_counted() {
    assert_eq!((keys_each(100), keys_each(50)), ((600, 0), (1200, 0)));
    let (heard, dropped) = keys_each(1);
    assert_eq!((heard, heard + dropped), (32 + 1199, 60_000));
}

/// The network held up as many keys as may be typed ahead: they come at once, after a minute of an autodialler's.
#[test]
fn keys_that_were_held_up_are_all_heard() {
    let mut call = call(None);
    call.handle_confirmed(Mono(0));
    for n in 0..600 {
        call.handle_info(Mono(n * 100_000), '0');
    }
    (0..32).for_each(|_| call.handle_info(Mono(63_150_000), '0'));
    (632..700).for_each(|n| call.handle_info(Mono(n * 100_000), '0'));
    assert_eq!((call.keys_heard(), call.dropped().0), (700, 0));
}

/// Eight presses in a packet, 16 packets a frame.
#[test]
fn keys_by_events_are_bounded_like_the_others() {
    let mut call = call(Some(101));
    call.handle_confirmed(Mono(0));
    for n in 0..16 * 500u32 {
        let blocks: Vec<u8> = (0..8).flat_map(|block| [if block % 2 == 0 { 3 } else { 0 }, 0x8A, 0, 80]).collect();
        let packet = crate::wire::rtp::Packet {
            payload_type: 101,
            marker: true,
            sequence: n as u16,
            timestamp: n * 100_000,
            ssrc: 7,
            payload: &blocks,
        };
        let mut bytes = [0; 44];
        packet.write(&mut bytes).expect("room");
        call.handle_rtp(Mono(u64::from(n / 16) * 20_000), SocketAddr::from(([10, 0, 0, 5], 4000)), &bytes);
    }
    let (dropped, heard) = (call.dropped().0, call.keys_heard());
    assert!(heard <= 32 + 10 * 20 && dropped > 50_000, "{heard} heard, {dropped} dropped");
}

/// The thread that had too much to do lost what the call was told last.
#[test]
fn a_call_that_is_never_told_how_it_goes_on_ends() {
    let mut unconfirmed = call(None);
    let mut clock = Clock(0);
    clock.frames(&mut unconfirmed, 1999);
    assert_eq!((unconfirmed.poll_output(), unconfirmed.is_over()), (None, false));
    clock.frames(&mut unconfirmed, 1);
    assert_eq!((unconfirmed.poll_output(), unconfirmed.is_over()), (Some(Output::HangUp), true));

    let mut finishing = recording(&mut clock);
    finishing.handle_hung_up(clock.now());
    assert!(matches!(finishing.poll_output(), Some(Output::Finish(None, _))));
    clock.frames(&mut finishing, 2999);
    assert!(!finishing.is_over());
    clock.frames(&mut finishing, 1);
    assert!(finishing.is_over());
}

/// A caller who is recording a system recording.
fn recording(clock: &mut Clock) -> Call {
    let mut call = call(None);
    call.handle_confirmed(clock.now());
    let (ticket, _) = clock.keys(&mut call, "1002#83517294#");
    let session = Session {
        language: None,
        id: AccountId(3),
        extension: Extension::parse("1002").expect("an extension"),
        granted: Permissions::of(&[Role::PhoneAdministrator]),
        has_role: true,
        spoken_name: None,
        must_change_pin: false,
        pin_resets: 0,
        news: Vec::new(),
    };
    call.handle_reply(clock.now(), ticket, Reply::LoggedIn(session));
    let (ticket, _) = clock.keys(&mut call, "21#");
    call.handle_reply(clock.now(), ticket, Reply::Recording { factory: true, draft: None });
    clock.keys_unasked(&mut call, "2");
    clock.frames(&mut call, 10);
    call
}

/// What a caller hears of "enter your extension" after these keys, in a call that began in `language`.
fn heard_after(keys: &str, language: Language) -> Vec<u8> {
    let mut prompts = Prompts::new(Language::English);
    for (language, width) in [(Language::English, 8), (Language::German, 4)] {
        let wave = (0..8000).map(|n| if n % 16 < width { 9000 } else { -9000 }).collect();
        prompts.add(language, "enter-extension", wave);
    }
    let caller = CallerInfo { language, languages: prompts.languages(), ..CallerInfo::default() };
    let mut call = call_of(caller, Arc::new(prompts), None);
    let mut clock = Clock(0);
    call.handle_confirmed(Mono(0));
    clock.keys_unasked(&mut call, keys);
    let mut packet = [0; PACKET_BYTES];
    for _ in 0..10 {
        clock.0 += 20;
        call.frame(clock.now(), &mut packet);
    }
    packet[12..].to_vec()
}

#[test]
fn a_language_that_is_chosen_is_heard() {
    let (english, german) = (heard_after("", Language::English), heard_after("", Language::German));
    assert_ne!(english, german);
    assert_eq!(heard_after("*4", Language::English), german);
    assert_eq!(heard_after("*1", Language::German), english);
    assert_eq!(heard_after("*4*1", Language::English), english);
}

/// Milliseconds of a call that is driven by hand.
struct Clock(u64);

impl Clock {
    fn now(&self) -> Mono {
        Mono(self.0 * 1000)
    }

    fn frames(&mut self, call: &mut Call, count: u64) {
        for _ in 0..count {
            self.0 += 20;
            call.frame(self.now(), &mut [0; PACKET_BYTES]);
        }
    }

    fn keys_unasked(&mut self, call: &mut Call, keys: &str) {
        for key in keys.chars() {
            self.frames(call, 2);
            call.handle_info(self.now(), key);
        }
    }

    /// Presses keys and gives what the last one asked of the store.
    fn keys(&mut self, call: &mut Call, keys: &str) -> (Ticket, Action) {
        self.keys_unasked(call, keys);
        match call.poll_output() {
            Some(Output::Ask(ticket, _, action)) => (ticket, action),
            other => panic!("{keys}: {other:?}"),
        }
    }
}
