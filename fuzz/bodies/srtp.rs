//! SRTP and SRTCP: what is protected comes out as it was, once; nothing else comes out at all.

use switchhook::wire::srtp::{KEY_BYTES_MAX, Key, Protector, Suite, Unprotector};

use super::bytes::Bytes;
use super::rtp::Sender;

/// More than a packet and what protects it.
const ROOM: usize = 2048;

/// The input is packets that nobody has protected, and says which ones are and whether a bit of them is turned.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let suite = bytes.pick(&[Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm]);
    let key = Key::new(suite, &[bytes.byte(); KEY_BYTES_MAX]);
    let (mut protector, mut unprotector) = (Protector::new(&key), Unprotector::new(&key, 0));
    let mut sender = Sender::default();
    let mut sequence = 0_u16;
    while !bytes.is_empty() {
        let kind = bytes.below(4);
        let mut forged = bytes.piece().to_vec();
        if kind == 0 {
            assert_eq!(unprotector.unprotect_rtp(&mut forged), None);
            continue;
        }
        if kind == 1 {
            assert_eq!(unprotector.unprotect_rtcp(&mut forged), None);
            continue;
        }
        let (_, mut datagram) = sender.datagram(&mut bytes);
        if datagram.len() < 12 {
            continue;
        }
        // Packets are protected in their order.
        sequence = sequence.wrapping_add(1);
        datagram[0] = 0x80;
        datagram[2..4].copy_from_slice(&sequence.to_be_bytes());
        let mut packet = vec![0; ROOM];
        packet[..datagram.len()].copy_from_slice(&datagram);
        let Some(length) = protector.protect_rtp(&mut packet, datagram.len()) else { panic!("room enough") };
        packet.truncate(length);
        if kind == 2 {
            let mut spoiled = packet.clone();
            let at = bytes.below(length);
            spoiled[at] ^= 1 << bytes.below(8);
            assert_eq!(unprotector.unprotect_rtp(&mut spoiled), None, "byte {at} of {length}");
        }
        let mut again = packet.clone();
        assert_eq!(unprotector.unprotect_rtp(&mut packet), Some(datagram.len()));
        assert_eq!(packet[..datagram.len()], datagram);
        assert_eq!(unprotector.unprotect_rtp(&mut again), None, "a packet counts once");
    }
}
