//! One SIP message: what is read can be written, and is then read the same.

use switchhook::wire::sip::{
    Encoder, Framing, HEADERS_BYTES_MAX, HEADERS_MAX, Head, MESSAGE_BYTES_MAX, Message, Name, Uri, decode, encode_uri,
    read_uri, sip_user,
};

/// The input is one datagram, and one message of a stream.
pub fn run(data: &[u8]) {
    for framing in [Framing::Datagram, Framing::Stream] {
        match decode(data, framing) {
            Ok(message) => check(message),
            Err(reject) => {
                assert!(matches!(reject.code, 400 | 505 | 513), "{reject}");
                assert!(reject.echo.is_none_or(|echo| !echo.vias.is_empty()), "no way back for the answer");
            }
        }
    }
}

fn check(message: Message) {
    let (head, body) = match &message {
        Message::Request(request) => {
            assert_eq!(request.method, request.head.cseq.method);
            check_uri(&request.uri);
            (&request.head, &request.body)
        }
        Message::Response(response) => {
            assert!((100..=699).contains(&response.code), "{}", response.code);
            (&response.head, &response.body)
        }
    };
    assert!(body.len() <= MESSAGE_BYTES_MAX && head.fields.len() <= HEADERS_MAX);
    check_head(head);
    let (expected, bytes) = rewritten(message);
    if head_fits(&bytes) {
        assert_eq!(decode(&bytes, Framing::Stream), Ok(expected), "{}", String::from_utf8_lossy(&bytes));
    }
}

fn check_head(head: &Head) {
    check_uri(&head.from.uri);
    check_uri(&head.to.uri);
    for name in [Name::Contact, Name::RecordRoute, Name::PAssertedIdentity] {
        for address in head.addresses(name).unwrap_or_default() {
            check_uri(&address.uri);
        }
    }
    for name in [Name::Require, Name::Accept] {
        assert!(head.list(name).is_err() || head.list(name).is_ok_and(|list| !list.contains(&"")));
    }
}

fn check_uri(uri: &Uri) {
    let text = encode_uri(uri);
    assert_eq!(read_uri(&text).as_ref(), Ok(uri), "{text}");
    let _ = sip_user(uri);
}

/// The message as our encoder writes it, and how that is to be read: Content-Type last, and no body without one.
fn rewritten(mut message: Message) -> (Message, Vec<u8>) {
    let (mut encoder, head, body) = match &mut message {
        Message::Request(request) => {
            let encoder = Encoder::request(&request.method, &encode_uri(&request.uri));
            (encoder, &mut request.head, &mut request.body)
        }
        Message::Response(response) => (Encoder::response(response.code), &mut response.head, &mut response.body),
    };
    head.fields.sort_by_key(|(name, _)| *name == Name::ContentType);
    for via in &head.echo.vias {
        encoder.header("Via", via);
    }
    encoder.header("From", &head.echo.from);
    encoder.header("To", &head.echo.to);
    encoder.header("Call-ID", &head.echo.call_id);
    encoder.header("CSeq", &head.echo.cseq);
    for (name, value) in head.fields.iter().filter(|(name, _)| *name != Name::ContentType) {
        encoder.header(name.as_str(), value);
    }
    let content_type = head.first(Name::ContentType).map(str::to_owned);
    let bytes = match content_type {
        Some(content_type) => encoder.finish_with(&content_type, body),
        None => {
            body.0.clear();
            encoder.finish()
        }
    };
    (message, bytes)
}

/// Whether the head is within the limits: one Via a line and a U+FFFD for what is no UTF-8 take more room than before.
fn head_fits(bytes: &[u8]) -> bool {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
    let lines = bytes[..end].windows(2).filter(|two| two == b"\r\n").count();
    end + 4 <= HEADERS_BYTES_MAX && lines < HEADERS_MAX
}
