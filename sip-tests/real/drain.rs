//! SIGTERM, SIGHUP and SIGKILL, with calls in progress.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::world::agent::{Agent, KEYS_BY_RTP};
use crate::world::baresip::Phone;
use crate::world::setup::{Options, Setup};
use crate::world::tools::are_here;
use crate::world::wait::until;

#[test]
fn the_present_call_goes_on_and_no_new_one_begins() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let mut server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.hears("welcome");
    server.signal("TERM");
    sleep(Duration::from_millis(500));

    let mut agent = Agent::new(&setup);
    agent.new_call();
    let refused = agent.call(1, KEYS_BY_RTP);
    assert_eq!(refused.code(), 503);
    let seconds: u32 = refused.header("Retry-After").and_then(|s| s.parse().ok()).expect("Retry-After");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(agent.options().code(), 503);

    phone.log_in("1005", "904826");
    phone.press("1731946#731946#");
    phone.hears("voicemail-pin-changed");
    assert!(server.is_running());
    phone.hang_up();
    assert!(server.ends_within(Duration::from_secs(10)).success());
    assert!(setup.voicemail_pin_is("1005", "731946"));
}

#[test]
fn calls_that_last_too_long_are_ended_at_the_deadline() {
    if !are_here(&["baresip"]) {
        return;
    }
    let setup = Setup::with(Options { drain_s: 3, ..Options::default() });
    let mut server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.hears("welcome");
    server.signal("TERM");
    sleep(Duration::from_secs(1));
    assert!(!phone.is_over() && server.is_running());
    phone.hears_the_end();
    assert!(server.ends_within(Duration::from_secs(10)).success());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    if !are_here(&["baresip"]) {
        return;
    }
    let setup = Setup::new();
    let mut server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    server.signal("TERM");
    sleep(Duration::from_millis(500));
    assert!(server.is_running());
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(10)).success());
}

/// Calls in progress while it drains.
const CALLS: usize = 100;
/// For how long it drains.
const DRAIN_S: u32 = 4;

#[test]
fn a_hundred_calls_go_on_to_the_deadline_and_no_longer() {
    let setup = Setup::with(Options { drain_s: DRAIN_S, ..Options::default() });
    let mut server = setup.serve();
    let mut callers = Agent::new(&setup);
    let mut in_progress = BTreeSet::new();
    for _ in 0..CALLS {
        callers.new_call();
        let answer = callers.call(1, KEYS_BY_RTP);
        assert_eq!(answer.code(), 200);
        in_progress.insert(answer.header("Call-ID").expect("its Call-ID").to_owned());
    }
    let begun = Instant::now();
    server.signal("TERM");
    until(Duration::from_secs(10), "it drains", || server.log_text().contains("draining"));
    let mut another = Agent::new(&setup);
    for _ in 0..10 {
        another.new_call();
        let refused = another.call(1, KEYS_BY_RTP);
        assert_eq!(refused.code(), 503);
        let seconds: u32 = refused.header("Retry-After").and_then(|s| s.parse().ok()).expect("Retry-After");
        assert!((1..=DRAIN_S).contains(&seconds), "{seconds}");
        assert_eq!(another.options().code(), 503);
    }
    let mut first = None;
    while !in_progress.is_empty() {
        let Some(request) = callers.receive() else {
            panic!("no BYE for {} of {CALLS} calls", in_progress.len());
        };
        assert_eq!(request.method(), "BYE", "{request:?}");
        first.get_or_insert_with(|| begun.elapsed());
        callers.accept(&request);
        in_progress.remove(request.header("Call-ID").unwrap_or_default());
    }
    let first = first.expect("a BYE");
    assert!(first >= Duration::from_secs(u64::from(DRAIN_S)), "a call was cut after {first:?}");
    assert!(server.ends_within(Duration::from_secs(20)).success());
    let after = begun.elapsed().saturating_sub(Duration::from_secs(u64::from(DRAIN_S)));
    println!("figure: drain_100_calls_exit_after_deadline_ms = {}", after.as_millis());
    let log = server.log_text();
    assert!(log.contains("calls=100") && !log.contains("still under way"), "{log}");
}

#[test]
fn the_end_does_not_wait_for_callers_that_are_gone() {
    let setup = Setup::with(Options { drain_s: 1, ..Options::default() });
    let mut server = setup.serve();
    let mut callers = Agent::new(&setup);
    for _ in 0..20 {
        callers.new_call();
        assert_eq!(callers.call(1, KEYS_BY_RTP).code(), 200);
    }
    // The last one does not even acknowledge the answer, so that a BYE to it would have to wait for that.
    callers.new_call();
    let media = callers.sdp(KEYS_BY_RTP);
    let invite = callers.request(&callers.line("INVITE"), 1, &[], &media);
    assert_eq!(callers.ask(&invite).code(), 200);
    // Nobody answers the BYEs, which would be sent again for 32 s.
    drop(callers);
    let begun = Instant::now();
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(20)).success());
    let after = begun.elapsed().saturating_sub(Duration::from_secs(1));
    println!("figure: drain_unanswered_byes_exit_after_deadline_ms = {}", after.as_millis());
}

#[test]
fn the_end_does_not_wait_for_the_prompts_of_other_languages() {
    let setup = Setup::with(Options { languages: &crate::world::setup::LANGUAGES, ..Options::default() });
    let mut server = setup.serve();
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(20)).success());
    assert!(!server.log_text().contains("the prompts of all languages are there"), "it ended while they were read");
}

#[test]
fn after_a_crash_the_old_calls_are_unknown_and_the_ports_are_free() {
    let setup = Setup::new();
    let mut server = setup.serve();
    let mut agent = Agent::new(&setup);
    agent.new_call();
    assert_eq!(agent.call(1, KEYS_BY_RTP).code(), 200);
    agent.rtp(5);
    server.signal("KILL");
    assert!(!server.ends_within(Duration::from_secs(10)).success());
    let server = setup.serve();
    let invite_again = agent.request(&agent.line("INVITE"), 2, &[], "");
    assert_eq!(agent.ask(&invite_again).code(), 481, "a re-INVITE within the old dialog");
    let info = agent.request(&agent.line("INFO"), 3, &[("Content-Type", "application/dtmf")], "5");
    assert_eq!(agent.ask(&info).code(), 481);
    assert_eq!(agent.bye(4).code(), 481);
    agent.new_call();
    agent.forget_rtp();
    assert_eq!(agent.call(1, KEYS_BY_RTP).code(), 200);
    agent.rtp(5);
    assert_eq!(agent.bye(2).code(), 200);
    assert!(!server.log_text().contains("ERROR"), "{}", server.log_text());
}

#[test]
fn a_reload_disturbs_no_call() {
    let setup = Setup::new();
    let server = setup.serve();
    let mut agent = Agent::new(&setup);
    agent.new_call();
    assert_eq!(agent.call(1, KEYS_BY_RTP).code(), 200);
    let mut packets = agent.rtp(5);
    server.signal("HUP");
    // More packets than the reading takes, and calls that come meanwhile.
    let mut another = Agent::new(&setup);
    let reads = |server: &crate::world::server::Server| server.log_text().matches("prompts were read again").count();
    while reads(&server) == 0 {
        packets.extend(agent.rtp(10));
        assert_eq!(another.options().code(), 200);
    }
    packets.extend(agent.rtp(50));
    for pair in packets.windows(2) {
        let ((before, at, source), (after, then, same)) = (pair[0], pair[1]);
        assert_eq!(
            (before.wrapping_add(1), at.wrapping_add(160), source),
            (after, then, same),
            "no packet is left out"
        );
    }
    assert_eq!(agent.bye(2).code(), 200);
}
