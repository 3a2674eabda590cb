use proptest::prelude::*;

use super::*;

const INVITE: &str = "INVITE sip:7000@192.0.2.1 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKabc;rport\r\n\
    Max-Forwards: 70\r\n\
    From: \"A, B\" <sip:1004@192.0.2.9>;tag=1928\r\n\
    To: <sip:7000@192.0.2.1>\r\n\
    Call-ID: a84b4c76e66710@192.0.2.9\r\n\
    CSeq: 314 INVITE\r\n\
    Contact: <sip:1004@192.0.2.9:5062;transport=udp>\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 4\r\n\r\nv=0\n";

fn request(text: &str) -> Request {
    match decode(text.as_bytes(), Framing::Datagram) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?} of {text}"),
    }
}

fn refused(text: &str) -> Reject {
    decode(text.as_bytes(), Framing::Datagram).expect_err(text)
}

/// A forged address must not get more than was sent in its name.
#[test]
fn nothing_is_answered_that_would_be_much_longer_than_what_it_answers() {
    let rest = "From: <sip:a@b>;tag=1\r\nTo: <sip:7000@c>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
    let commas = format!("OPTIONS sip:7000@c SIP/2.0\r\nv: SIP/2.0/UDP x;rport{}\r\n{rest}", ",".repeat(9000));
    let some = format!("OPTIONS sip:7000@c SIP/2.0\r\nv: SIP/2.0/UDP x;rport,,\r\n{rest}");
    let mut bytes =
        format!("OPTIONS sip:7000@c SIP/2.0\r\nv: SIP/2.0/UDP x;rport;branch=z9hG4bKa\r\n{rest}").into_bytes();
    let at = bytes.windows(4).position(|four| four == b";tag").expect("a tag");
    bytes.splice(at..at, std::iter::repeat_n(0xFF, 5000));
    for (message, has_answer) in [(commas.as_bytes(), false), (some.as_bytes(), true), (bytes.as_slice(), false)] {
        let reject = decode(message, Framing::Datagram).expect_err("refused");
        assert_eq!((reject.code, reject.echo.is_some()), (400, has_answer), "{reject}");
    }
}

#[test]
fn an_invite_is_decoded() {
    let invite = request(INVITE);
    assert_eq!(invite.method, Method::Invite);
    assert_eq!(sip_user(&invite.uri).as_deref(), Some("7000"));
    assert_eq!(invite.head.from.tag(), Some("1928"));
    assert_eq!(invite.head.from.display_name.as_deref(), Some("\"A, B\""));
    assert_eq!(invite.head.cseq, CSeq { seq: 314, method: Method::Invite });
    assert_eq!(invite.head.via.branch(), Some("z9hG4bKabc"));
    let contact = invite.head.addresses(Name::Contact).expect("a Contact");
    assert_eq!(encode_uri(&contact[0].uri), "sip:1004@192.0.2.9:5062;transport=udp");
    assert_eq!(&*invite.body, b"v=0\n");
}

#[test]
fn what_the_grammar_allows_is_taken() {
    let rows: &[(&str, &str)] = &[
        ("INVITE sip", "\r\n\r\nINVITE sip"),
        ("Call-ID: ", "i :  "),
        ("From: ", "f:\r\n "),
        ("CSeq: 314 INVITE", "cseq: 0314\r\n\tINVITE"),
        ("SIP/2.0\r\nVia", "sip/2.0\r\nVia"),
        ("192.0.2.1 SIP", "[2001:db8::1]:5060 SIP"),
        ("UDP 192.0.2.9:5060;", "UDP [2001:db8::9:1] : 5060 ;"),
        ("Content-Length: 4", "l: 0000004"),
        ("Content-Length: 4\r\n", ""),
        ("Max-Forwards: 70\r\n", ""),
        ("\"A, B\" <sip:1004@192.0.2.9>", "sip:1004@192.0.2.9"),
        ("\"A, B\" ", "Jürgen B "),
        ("7000@192.0.2.1 SIP", "%37000:pw@host-1.example.com;lr;x=[::1] SIP"),
        ("Contact:", "X-Other: 1\r\nx-OTHER : \r\nContact:"),
    ];
    for (from, to) in rows {
        assert!(INVITE.contains(from), "{from}");
        let invite = request(&INVITE.replacen(from, to, 1));
        assert_eq!(invite.head.from.tag(), Some("1928"), "{to}");
        assert_eq!(&*invite.body, b"v=0\n", "{to}");
    }
    assert_eq!(sip_user(&request(&INVITE.replacen("sip:7000", "sip:%37%30%2500", 1)).uri).as_deref(), Some("70%00"));
}

#[test]
fn a_comma_and_a_line_give_a_via_each() {
    let invite = request(&INVITE.replacen(
        "Max-Forwards: 70",
        "v: SIP/2.0/TCP a;x=\"1,2\" , SIP/2.0/UDP b\r\nVIA: SIP/2.0/UNKNOWN c",
        1,
    ));
    assert_eq!(invite.head.echo.vias[1..], ["SIP/2.0/TCP a;x=\"1,2\"", "SIP/2.0/UDP b", "SIP/2.0/UNKNOWN c"]);
}

#[test]
fn a_datagram_ends_where_content_length_says() {
    let invite = request(&INVITE.replacen("Content-Length: 4", "Content-Length: 2", 1));
    assert_eq!(&*invite.body, b"v=", "18.3: the bytes after it are ignored");
    assert_eq!(request(&INVITE.replacen("Content-Length: 4\r\n", "", 1)).body.len(), 4, "18.3: to the end without it");
}

#[test]
fn what_is_malformed_is_refused_with_an_answer() {
    let rows: &[(&str, &str, u16)] = &[
        ("Content-Length: 4", "Content-Length: 5", 400),
        ("Content-Length: 4", "Content-Length: -4", 400),
        ("Content-Length: 4", "Content-Length: 99999999999999999999", 400),
        ("Content-Length: 4", "Content-Length: 4294967297", 400),
        ("Content-Length: 4", "Content-Length: 70000", 513),
        ("Content-Length: 4", "Content-Length: 4\r\nl: 4", 400),
        ("Content-Length: 4", "Content-Length: four", 400),
        ("SIP/2.0\r\nVia", "SIP/3.0\r\nVia", 505),
        ("SIP/2.0\r\nVia", "SIP/two\r\nVia", 400),
        ("INVITE sip", "INVITE  sip", 400),
        ("INVITE sip", "INV(TE sip", 400),
        ("sip:7000@192", "7000@192", 400),
        ("sip:7000@192", "sip:70<00@192", 400),
        ("sip:7000@192", "sip:70%G0@192", 400),
        ("192.0.2.1 SIP", "192.0.2.1:70000 SIP", 400),
        ("192.0.2.1 SIP", "[::1 SIP", 400),
        ("192.0.2.1 SIP", "192.0.2.1?Route=x SIP", 400),
        ("CSeq: 314 INVITE", "CSeq: 314 BYE", 400),
        ("CSeq: 314 INVITE", "CSeq: 4294967296 INVITE", 400),
        ("CSeq: 314 INVITE", "CSeq: 314", 400),
        ("CSeq: 314 INVITE\r\n", "", 400),
        ("Call-ID: a", "Call-ID: a b", 400),
        ("Max-Forwards: 70", "Max-Forwards: 300", 400),
        ("Max-Forwards: 70", "Max-Forwards 70", 400),
        ("Max-Forwards: 70", "Max Forwards: 70", 400),
        ("Max-Forwards: 70", "Max-Forwards: 70\nX: y", 400),
        ("Max-Forwards: 70", "Max-Forwards: 70\rX: y", 400),
        ("\"A, B\" ", "A, B ", 400),
        ("\"A, B\" ", "\"A, B ", 400),
        ("@192.0.2.9>;tag", "@192.0.2.9;tag", 400),
        ("To: <sip", "To: < sip", 400),
        ("z9hG4bKabc", "z9hG4bK", 400),
        ("Via: SIP/2.0/UDP ", "Via: SIP/2.0/UDP", 400),
        (";rport", ";;rport", 400),
        (";rport", ";rport,", 400),
        ("\"A, B\" <sip:1004@192.0.2.9>", "sip:1004@192.0.2.9?x=y", 400),
        ("Content-Length: 4\r\n\r\nv=0\n", "Content-Length: 0\r\n", 400),
    ];
    for (from, to, code) in rows {
        assert!(INVITE.contains(from), "{from}");
        let reject = refused(&INVITE.replacen(from, to, 1));
        assert_eq!(reject.code, *code, "{to}");
        let echo = reject.echo.expect(to);
        assert!(echo.vias[0].contains("192.0.2.9") && !echo.from.is_empty(), "{to}");
    }
}

#[test]
fn responses_acks_and_noise_get_no_answer() {
    let ack = INVITE.replace("INVITE", "ACK").replacen("CSeq: 314", "CSeq: x", 1);
    let folded = INVITE.replacen("SIP/2.0\r\nVia", "SIP/2.0\r\n Via", 1);
    let response = INVITE.replacen("INVITE sip:7000@192.0.2.1 SIP/2.0", "SIP/2.0 4294967301 Oh", 1);
    for text in [
        &ack,
        &response,
        &folded,
        "",
        "x",
        "\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "INVITE sip:a@b SIP/2.0\r\n\r\n",
    ] {
        assert_eq!(refused(text).echo, None, "{text}");
    }
}

#[test]
fn headers_over_16_kb_and_too_many_of_them_are_refused() {
    let long = INVITE.replacen("Contact:", &format!("X-Long: {}\r\nContact:", "x".repeat(HEADERS_BYTES_MAX)), 1);
    let reject = refused(&long);
    assert_eq!((reject.code, reject.echo.is_some()), (513, true));
    let many = INVITE.replacen("Contact:", &format!("{}Contact:", "X: y\r\n".repeat(HEADERS_MAX)), 1);
    assert_eq!(refused(&many).code, 400);
    let most = INVITE.replacen("Contact:", &format!("{}Contact:", "X: y\r\n".repeat(HEADERS_MAX - 9)), 1);
    request(&most);
}

#[test]
fn no_value_adds_a_line() {
    let mut encoder = Encoder::response(200);
    encoder.header("X", "a\r\nEvil: b\n\rc");
    let text = String::from_utf8(encoder.finish()).expect("text");
    assert_eq!(text, "SIP/2.0 200 OK\r\nX: a  Evil: b  c\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn a_body_prints_nothing_of_itself() {
    assert_eq!(format!("{:?}", Body(b"Signal=7".to_vec())), "Body(8 bytes)");
}

fn frames(chunks: &[&[u8]]) -> Vec<Frame> {
    let mut framer = Framer::default();
    let mut frames = vec![];
    for chunk in chunks {
        framer.feed(chunk);
        frames.extend(std::iter::from_fn(|| framer.poll_frame()));
    }
    frames
}

#[test]
fn a_stream_is_cut_wherever_it_is_torn() {
    let message = Frame::Message(INVITE.as_bytes().to_vec());
    let stream = format!("{INVITE}\r\n\r\n{INVITE}\r\n{INVITE}");
    let expected = [message.clone(), Frame::Ping, message.clone(), message];
    assert_eq!(frames(&[stream.as_bytes()]), expected);
    for size in [1, 2, 3, 7, 100] {
        let chunks: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        assert_eq!(frames(&chunks), expected, "chunks of {size}");
    }
}

#[test]
fn rfc5626_a_ping_is_two_empty_lines_in_a_row() {
    let stream = format!("\r\n{INVITE}\r\n{INVITE}");
    let message = Frame::Message(INVITE.as_bytes().to_vec());
    assert_eq!(frames(&[stream.as_bytes()]), [message.clone(), message]);
    assert_eq!(frames(&[b"\r\n", b"\r", b"\n\r\n"]), [Frame::Ping]);
}

#[test]
fn a_stream_that_can_not_be_followed_ends_with_its_answer() {
    let rows: &[(&str, u16)] = &[
        ("Content-Length: -4", 400),
        ("Content-Length: 70000", 513),
        ("Content-Length: 65500", 400),
        ("X: y", 400),
        ("Content-Length: 4\r\nContent-Length: 4", 400),
    ];
    for (line, code) in rows {
        let text = INVITE.replacen("Content-Length: 4", line, 1);
        let got = frames(&[text.as_bytes(), INVITE.as_bytes()]);
        let [Frame::Fatal(bytes)] = &got[..] else { panic!("{line}: {got:?}") };
        let reject = decode(bytes, Framing::Stream).expect_err(line);
        assert_eq!((reject.code, reject.echo.is_some()), (*code, true), "{line}");
    }
    let endless = format!("{}{}", INVITE.split_at(200).0, "x".repeat(HEADERS_BYTES_MAX));
    let got = frames(&[endless.as_bytes()]);
    let [Frame::Fatal(bytes)] = &got[..] else { panic!("{got:?}") };
    assert_eq!(decode(bytes, Framing::Stream).expect_err("too long").code, 513);
}

prop_compose! {
    fn parts()(
        user in "[a-z0-9]{1,12}",
        host in "([a-z]{1,8}\\.[a-z]{2,3}|192\\.0\\.2\\.[1-9]|\\[2001:db8::[1-9]\\])(:[1-9][0-9]{0,3})?",
        display in "(\"[ -!#-\\[\\]-~]{0,12}\" )?",
        tag in "[a-zA-Z0-9.-]{1,20}",
        branch in "[a-zA-Z0-9.-]{1,20}",
        seq in any::<u32>(),
        param in "(;[a-z]{3,8}(=[a-z0-9]{1,5})?){0,3}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) -> (String, String, String, String, String, u32, String, Vec<u8>) {
        (user, host, display, tag, branch, seq, param, body)
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded((user, host, display, tag, branch, seq, param, body) in parts()) {
        let uri = format!("sip:{user}@{host}{param}");
        let mut encoder = Encoder::request(&Method::Info, &uri);
        encoder.header("Via", &format!("SIP/2.0/UDP {host};branch=z9hG4bK{branch};rport"));
        encoder.header("From", &format!("{display}<{uri}>;tag={tag}"));
        encoder.header("To", &uri);
        encoder.header("Call-ID", &branch);
        encoder.header("CSeq", &format!("{seq} INFO"));
        let bytes = encoder.finish_with("application/dtmf", &body);
        for framing in [Framing::Datagram, Framing::Stream] {
            let Ok(Message::Request(got)) = decode(&bytes, framing) else { panic!("refused") };
            prop_assert_eq!(encode_uri(&got.uri), uri.clone());
            prop_assert_eq!(&got.body.0, &body);
            prop_assert_eq!(got.head.cseq.seq, seq);
            prop_assert_eq!(got.head.from.tag(), Some(tag.as_str()));
            prop_assert_eq!(got.head.from.display_name.clone().unwrap_or_default(), display.trim_end());
            let expected = format!("z9hG4bK{branch}");
            prop_assert_eq!(got.head.via.branch(), Some(expected.as_str()));
            prop_assert_eq!(got.head.first(Name::ContentType), Some("application/dtmf"));
        }
    }

    #[test]
    fn a_mutated_invite_never_panics(
        edits in proptest::collection::vec((0..1000usize, 0..5u8, any::<u8>()), 1..6),
    ) {
        let mut bytes = INVITE.as_bytes().to_vec();
        for (at, kind, byte) in edits {
            let at = at % bytes.len().max(1);
            match kind {
                0 if !bytes.is_empty() => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 if !bytes.is_empty() => { bytes.remove(at); }
                3 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, b"\r\n\"<>;,:@% \\["[usize::from(byte) % 13]),
            }
        }
        for framing in [Framing::Datagram, Framing::Stream] {
            if let Ok(Message::Request(request)) = decode(&bytes, framing) {
                let _ = request.head.addresses(Name::Contact);
            }
        }
        let mut framer = Framer::default();
        framer.feed(&bytes);
        while framer.poll_frame().is_some() {}
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes, Framing::Datagram);
        let mut after = b"OPTIONS sip:a@b SIP/2.0\r\nVia: ".to_vec();
        after.extend(bytes);
        let _ = decode(&after, Framing::Datagram);
    }
}
