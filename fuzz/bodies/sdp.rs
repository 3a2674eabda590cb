//! A session description: the answer to it can be read, and says what was agreed.

use std::net::SocketAddr;

use switchhook::wire::g711::Law;
use switchhook::wire::sdp::{Encryption, Local, SDP_BYTES_MAX, read};
use switchhook::wire::srtp::{Crypto, KEY_BYTES_MAX, Key};

/// The input is an offer.
pub fn run(data: &[u8]) {
    let Ok(remote) = read(data, &[Law::Mu, Law::A], Encryption::Optional) else { return };
    assert!(data.len() <= SDP_BYTES_MAX);
    let local = Local { rtp: SocketAddr::from(([192, 0, 2, 1], 10_000)), session: 7, version: 1 };
    let ours = remote.crypto.as_ref().map(|theirs| Key::new(theirs.key.suite(), &[7; KEY_BYTES_MAX]));
    let answer = remote.answer(&local, ours.as_ref());
    // The offer's own lines come back with a port of 0, each in its place, and nothing of them makes a line of its own.
    assert!(answer.split("\r\n").all(|line| !line.contains(['\r', '\n'])), "{answer:?}");
    assert!(answer.len() <= data.len() + 512, "{} bytes to {}", answer.len(), data.len());
    match read(answer.as_bytes(), &[remote.law], Encryption::Optional) {
        Ok(read) => {
            assert_eq!((read.rtp, read.law), (local.rtp, remote.law), "{answer:?}");
            let key = |crypto: Option<&Crypto>| crypto.map(|crypto| (crypto.tag, crypto.key.suite()));
            assert_eq!(key(read.crypto.as_ref()), key(remote.crypto.as_ref()), "{answer:?}");
            assert_eq!(read.event_payload_type, remote.event_payload_type, "{answer:?}");
            assert_eq!((read.receives, read.sends), (remote.sends, remote.receives), "{answer:?}");
        }
        Err(error) => panic!("{error}: {answer:?}"),
    }
    let streams = |text: &[u8]| text.split(|b| *b == b'\n').filter(|line| line.starts_with(b"m=")).count();
    assert_eq!(
        streams(answer.as_bytes()),
        streams(&data.iter().map(|b| if *b == b'\r' { b'\n' } else { *b }).collect::<Vec<_>>())
    );
}
