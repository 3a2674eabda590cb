//! Each scenario is a list of rows: (milliseconds, input, output, next wake-up in milliseconds).

use super::*;
use crate::model::Mono;

fn ms(at: u64) -> Mono {
    Mono(at * 1000)
}

fn packet(text: &str) -> Packet {
    text.as_bytes().into()
}

#[derive(Clone, Copy, Debug)]
enum In {
    /// The request again.
    Again,
    /// The dialog sends a 2xx.
    Accept,
    /// A final response that the transaction sends.
    Refuse,
    Ack,
    Tick,
    /// A response with that code.
    Response(u16),
}

type Row = (u64, In, &'static str, Option<u64>);

fn name(output: &Output) -> &'static str {
    match output {
        Output::Nothing => "",
        Output::Send(_) => "send",
        Output::SendTrying => "100",
    }
}

fn run_invite_server(scenario: &str, reliable: bool, rows: &[Row]) {
    let mut machine = InviteServer::new(ms(0), reliable);
    assert_eq!(machine.deadline(), Some(ms(200)), "{scenario}: the 100 is due at 200 ms");
    for (at, input, output, next) in rows {
        let got = match input {
            In::Again => machine.handle_retransmission(),
            In::Accept => {
                machine.accept(ms(*at));
                Output::Nothing
            }
            In::Refuse => machine.refuse(ms(*at), packet("486")),
            In::Ack => {
                machine.handle_ack(ms(*at));
                Output::Nothing
            }
            In::Tick => machine.handle_timeout(ms(*at)),
            In::Response(_) => panic!("not of a server"),
        };
        assert_eq!((name(&got), machine.deadline()), (*output, next.map(ms)), "{scenario}: {input:?} at {at} ms");
        assert_eq!(
            machine.is_terminated(),
            next.is_none() && !machine.is_proceeding(),
            "{scenario}: {input:?} at {at} ms"
        );
    }
}

#[test]
fn invite_server_transactions() {
    use In::*;
    run_invite_server("17.2.1: 100 after 200 ms, once", false, &[(199, Tick, "", Some(200)), (200, Tick, "100", None)]);
    run_invite_server(
        "17.2.1: 100 at once for a retransmission",
        false,
        &[(50, Again, "100", None), (80, Again, "100", None)],
    );
    run_invite_server(
        "17.2.1: no 100 after a quick answer",
        false,
        &[(10, Refuse, "send", Some(510)), (200, Tick, "", Some(510))],
    );
    run_invite_server(
        "17.2.1: Timer G doubles to T2, Timer H ends it",
        false,
        &[
            (0, Refuse, "send", Some(500)),
            (500, Tick, "send", Some(1500)),
            (1500, Tick, "send", Some(3500)),
            (3500, Tick, "send", Some(7500)),
            (7500, Tick, "send", Some(11_500)),
            (11_500, Tick, "send", Some(15_500)),
            (15_500, Tick, "send", Some(19_500)),
            (19_500, Tick, "send", Some(23_500)),
            (23_500, Tick, "send", Some(27_500)),
            (27_500, Tick, "send", Some(31_500)),
            (31_500, Tick, "send", Some(32_000)),
            (32_000, Tick, "", None),
        ],
    );
    run_invite_server(
        "17.2.1: ACK, then Timer I absorbs ACKs",
        false,
        &[
            (0, Refuse, "send", Some(500)),
            (300, Again, "send", Some(500)),
            (400, Ack, "", Some(5400)),
            (450, Again, "", Some(5400)),
            (460, Ack, "", Some(5400)),
            (5400, Tick, "", None),
        ],
    );
    run_invite_server(
        "17.2.1: over TCP no Timer G, and Timer I is 0",
        true,
        &[(0, Refuse, "send", Some(32_000)), (100, Ack, "", None)],
    );
    run_invite_server(
        "17.2.1: over TCP Timer H runs too",
        true,
        &[(0, Refuse, "send", Some(32_000)), (32_000, Tick, "", None)],
    );
    for reliable in [false, true] {
        run_invite_server(
            "6026 7.1: Accepted absorbs the INVITE until Timer L",
            reliable,
            &[
                (100, Accept, "", Some(32_100)),
                (600, Again, "", Some(32_100)),
                (700, Ack, "", Some(32_100)),
                (800, Refuse, "", Some(32_100)),
                (32_100, Tick, "", None),
            ],
        );
    }
}

#[test]
fn rfc6026_an_ack_in_accepted_is_the_dialogs() {
    let mut machine = InviteServer::new(ms(0), false);
    assert!(!machine.handle_ack(ms(1)), "Proceeding");
    machine.accept(ms(2));
    assert!(!machine.handle_ack(ms(3)), "Accepted");
    let mut machine = InviteServer::new(ms(0), false);
    machine.refuse(ms(1), packet("486"));
    assert!(machine.handle_ack(ms(2)), "Completed");
    assert!(machine.handle_ack(ms(3)), "Confirmed");
}

#[test]
fn non_invite_server_transactions() {
    let mut machine = NonInviteServer::new(false);
    assert_eq!(machine.handle_retransmission(), Output::Nothing, "17.2.2: Trying discards");
    assert_eq!(machine.deadline(), None);
    assert_eq!(machine.respond(ms(10), packet("200")), Output::Send(packet("200")));
    assert_eq!(machine.respond(ms(11), packet("500")), Output::Nothing, "17.2.2: one final response");
    assert_eq!(machine.handle_retransmission(), Output::Send(packet("200")), "17.2.2: Completed sends it again");
    assert_eq!(machine.deadline(), Some(ms(32_010)), "Timer J is 64*T1");
    machine.handle_timeout(ms(32_009));
    assert!(!machine.is_terminated());
    machine.handle_timeout(ms(32_010));
    assert!(machine.is_terminated());

    let mut machine = NonInviteServer::new(true);
    machine.respond(ms(10), packet("200"));
    assert!(machine.is_terminated(), "Timer J is 0 over TCP");
}

fn run_client(scenario: &str, reliable: bool, rows: &[Row]) {
    let mut machine = NonInviteClient::new(ms(0), reliable, packet("BYE"));
    for (at, input, output, next) in rows {
        let got = match input {
            In::Response(code) => {
                machine.handle_response(ms(*at), *code);
                Output::Nothing
            }
            In::Tick => machine.handle_timeout(ms(*at)),
            In::Again | In::Accept | In::Refuse | In::Ack => panic!("not of a client"),
        };
        assert_eq!((name(&got), machine.deadline()), (*output, next.map(ms)), "{scenario}: {input:?} at {at} ms");
        assert_eq!(machine.is_terminated(), next.is_none(), "{scenario}: {input:?} at {at} ms");
    }
}

#[test]
fn non_invite_client_transactions() {
    use In::*;
    run_client(
        "17.1.2.2: Timer E doubles to T2, Timer F ends it",
        false,
        &[
            (500, Tick, "send", Some(1500)),
            (1500, Tick, "send", Some(3500)),
            (3500, Tick, "send", Some(7500)),
            (7500, Tick, "send", Some(11_500)),
            (32_000, Tick, "", None),
        ],
    );
    run_client(
        "17.1.2.2: in Proceeding Timer E is T2",
        false,
        &[(100, Response(100), "", Some(500)), (500, Tick, "send", Some(4500)), (4500, Tick, "send", Some(8500))],
    );
    run_client(
        "17.1.2.2: Timer K absorbs the response's copies",
        false,
        &[(100, Response(200), "", Some(5100)), (200, Response(200), "", Some(5100)), (5100, Tick, "", None)],
    );
    run_client(
        "17.1.2.2: over TCP nothing is sent twice",
        true,
        &[(31_999, Tick, "", Some(32_000)), (32_000, Tick, "", None)],
    );
    run_client("17.1.2.2: Timer K is 0 over TCP", true, &[(100, Response(481), "", None)]);
}

#[test]
fn only_the_first_final_response_counts() {
    let mut machine = NonInviteClient::new(ms(0), false, packet("BYE"));
    assert!(!machine.handle_response(ms(1), 100));
    assert!(machine.is_waiting());
    assert!(machine.handle_response(ms(2), 200));
    assert!(!machine.handle_response(ms(3), 200));
    assert!(!machine.is_waiting());
}
