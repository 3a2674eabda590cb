//! Packets from one side to the other, and what an attacker between them can do.

use proptest::prelude::*;

use super::*;

/// Bytes from their hexadecimal digits.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16).expect("a digit")).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

fn key(suite: Suite) -> Key {
    Key::new(suite, &std::array::from_fn(|n| n as u8 * 7 + 1))
}

fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0xD5; 160]);
    packet
}

/// The packet as it goes over the network.
fn protect(protector: &mut Protector, packet: &[u8]) -> Vec<u8> {
    let mut buffer = [packet, &[0; RTP_EXTRA_MAX]].concat();
    let length = protector.protect_rtp(&mut buffer, packet.len()).expect("protected");
    buffer.truncate(length);
    buffer
}

fn protect_rtcp(protector: &mut Protector, packet: &[u8]) -> Vec<u8> {
    let mut buffer = [packet, &[0; RTCP_EXTRA_MAX]].concat();
    let length = protector.protect_rtcp(&mut buffer, packet.len()).expect("protected");
    buffer.truncate(length);
    buffer
}

fn unprotect(unprotector: &mut Unprotector, packet: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = packet.to_vec();
    let length = unprotector.unprotect_rtp(&mut buffer)?;
    buffer.truncate(length);
    Some(buffer)
}

fn unprotect_rtcp(unprotector: &mut Unprotector, packet: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = packet.to_vec();
    let length = unprotector.unprotect_rtcp(&mut buffer)?;
    buffer.truncate(length);
    Some(buffer)
}

fn ends(suite: Suite) -> (Protector, Unprotector) {
    (Protector::new(&key(suite)), Unprotector::new(&key(suite), 0))
}

/// The reference packets that implementations of AES-CM with HMAC-SHA1 are checked with, under the master key of RFC 3711
/// appendix B.3.
#[test]
fn packets_by_aes_in_counter_mode_are_those_of_others() {
    let master: [u8; KEY_BYTES_MAX] =
        hex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6").try_into().expect("30 bytes");
    let key = Key::new(Suite::AesCm128HmacSha1_80, &master);
    let plain = hex("800f1234decafbadcafebabeabababababababababababababababab");
    let sealed = hex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
    assert_eq!(protect(&mut Protector::new(&key), &plain), sealed);
    assert_eq!(unprotect(&mut Unprotector::new(&key, 0), &sealed), Some(plain));
    let plain = hex("81c8000bcafebabeabababababababababababababababab");
    let sealed = hex("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798");
    let mut protector = Protector::new(&key);
    protect_rtcp(&mut protector, &plain);
    assert_eq!(protect_rtcp(&mut protector, &plain), sealed, "the one of index 1");
    assert_eq!(unprotect_rtcp(&mut Unprotector::new(&key, 0), &sealed), Some(plain));
}

#[test]
fn a_packet_counts_once_and_only_as_it_was_sent() {
    for suite in Suite::ALL {
        let (mut protector, mut unprotector) = ends(suite);
        let plain = rtp(7, 100);
        let sealed = protect(&mut protector, &plain);
        assert_ne!(sealed[12..172], plain[12..]);
        for bit in 0..sealed.len() * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unprotect(&mut unprotector, &forged), None, "{suite:?}: bit {bit}");
        }
        assert_eq!(unprotect(&mut unprotector, &plain), None, "a plain one");
        assert_eq!(unprotect(&mut unprotector, &sealed[..sealed.len() - 1]), None);
        assert_eq!(unprotect(&mut unprotector, &sealed).as_ref(), Some(&plain));
        assert_eq!(unprotect(&mut unprotector, &sealed), None, "a replayed one");
        let (mut stranger, _) = (Protector::new(&Key::new(suite, &[9; KEY_BYTES_MAX])), ());
        assert_eq!(unprotect(&mut unprotector, &protect(&mut stranger, &rtp(7, 101))), None, "of another key");
    }
}

#[test]
fn sequence_numbers_wrap_and_packets_around_that_may_change_places() {
    for suite in Suite::ALL {
        let (mut protector, mut unprotector) = ends(suite);
        let sealed: Vec<Vec<u8>> =
            (0..400_u32).map(|n| protect(&mut protector, &rtp(7, (65_400 + n) as u16))).collect();
        assert_eq!(protector.rollovers(), 1);
        for pair in sealed.chunks(2) {
            assert!(unprotect(&mut unprotector, &pair[1]).is_some() && unprotect(&mut unprotector, &pair[0]).is_some());
        }
        assert_eq!(unprotector.rollovers(), 1);
        assert!(sealed.iter().all(|packet| unprotect(&mut unprotector, packet).is_none()), "replayed");
        assert_eq!(unprotect(&mut unprotector, &sealed[399]), None);
    }
}

#[test]
fn packets_after_a_long_loss_across_the_wrap_are_understood() {
    let (mut protector, mut unprotector) = ends(Suite::AesCm128HmacSha1_80);
    for (n, sequence) in [60_000_u16, 20_000, 50_000, 15_000].into_iter().enumerate() {
        let sealed = protect(&mut protector, &rtp(7, sequence));
        assert!(unprotect(&mut unprotector, &sealed).is_some(), "the packet {n}");
    }
    assert_eq!((protector.rollovers(), unprotector.rollovers()), (2, 2));
}

#[test]
fn after_a_new_key_the_peer_may_go_on_counting_or_begin_again() {
    for goes_on in [false, true] {
        let mut protector = Protector::new(&key(Suite::AeadAes128Gcm));
        protector.rollovers = if goes_on { 3 } else { 0 };
        let mut unprotector = Unprotector::new(&key(Suite::AeadAes128Gcm), 3);
        for sequence in [500, 501] {
            assert!(unprotect(&mut unprotector, &protect(&mut protector, &rtp(7, sequence))).is_some(), "{goes_on}");
        }
        assert_eq!(unprotector.rollovers(), protector.rollovers());
    }
}

#[test]
fn each_source_has_its_own_count_and_a_flood_of_forged_ones_forgets_none() {
    for suite in Suite::ALL {
        let (mut protector, mut unprotector) = ends(suite);
        let first = protect(&mut protector, &rtp(1, 100));
        assert!(unprotect(&mut unprotector, &first).is_some());
        for ssrc in 2..100 {
            assert_eq!(unprotect(&mut unprotector, &[&rtp(ssrc, 5)[..], &[0; 16]].concat()), None);
        }
        assert_eq!(unprotect(&mut unprotector, &first), None, "still known");
        protector.newest = None;
        assert!(unprotect(&mut unprotector, &protect(&mut protector, &rtp(2, 5))).is_some(), "a second source");
    }
}

#[test]
fn header_extensions_and_sources_stay_readable() {
    for suite in Suite::ALL {
        let (mut protector, mut unprotector) = ends(suite);
        let mut plain = rtp(7, 1);
        plain[0] = 0x91;
        plain.splice(12..12, hex("00000009bede000101020304"));
        let sealed = protect(&mut protector, &plain);
        assert_eq!(sealed[..24], plain[..24]);
        assert_ne!(sealed[24..184], plain[24..]);
        assert_eq!(unprotect(&mut unprotector, &sealed), Some(plain));
        let false_length = hex("90000001000000000000000700010fff0000000000000000000000000000000000000000");
        assert_eq!(unprotect(&mut unprotector, &false_length), None);
        assert_eq!(protector.protect_rtp(&mut false_length.clone(), 20), None);
    }
}

#[test]
fn reports_count_once_and_have_to_be_encrypted() {
    for suite in Suite::ALL {
        let (mut protector, mut unprotector) = ends(suite);
        let plain = hex("81c8000bcafebabe0011223344556677deadbeefcafef00d");
        let sealed: Vec<Vec<u8>> = (0..3).map(|_| protect_rtcp(&mut protector, &plain)).collect();
        assert_ne!(sealed[0][8..24], plain[8..]);
        for bit in 0..sealed[1].len() * 8 {
            let mut forged = sealed[1].clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unprotect_rtcp(&mut unprotector, &forged), None, "{suite:?}: bit {bit}");
        }
        for n in [1, 0, 2] {
            assert_eq!(unprotect_rtcp(&mut unprotector, &sealed[n]).as_ref(), Some(&plain));
        }
        assert!(sealed.iter().all(|packet| unprotect_rtcp(&mut unprotector, packet).is_none()), "replayed");
        assert_eq!(unprotect_rtcp(&mut unprotector, &plain), None);
    }
}

#[test]
fn a_key_is_not_used_for_longer_than_it_is_good() {
    let mut protector = Protector::new(&key(Suite::AeadAes128Gcm));
    protector.rollovers = u32::MAX;
    protect(&mut protector, &rtp(7, 65_535));
    assert_eq!(protector.protect_rtp(&mut [&rtp(7, 0)[..], &[0; 16]].concat(), 172), None);
    protector.rtcp_index = ENCRYPTED - 1;
    let report = hex("81c8000bcafebabe0011223344556677deadbeefcafef00d");
    protect_rtcp(&mut protector, &report);
    assert_eq!(protector.protect_rtcp(&mut [&report[..], &[0; 20]].concat(), report.len()), None);
}

#[test]
fn a_buffer_without_room_is_not_written_over_its_end() {
    let (mut protector, _) = ends(Suite::AeadAes128Gcm);
    let packet = rtp(7, 1);
    assert_eq!(protector.protect_rtp(&mut packet.clone(), packet.len()), None);
    assert_eq!(protector.protect_rtp(&mut packet.clone(), packet.len() + 1), None);
    assert_eq!(protector.protect_rtcp(&mut packet.clone(), packet.len()), None);
    assert_eq!(protector.protect_rtcp(&mut [0x80; 40], 4), None);
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), gcm: bool) {
        let (_, mut unprotector) = ends(if gcm { Suite::AeadAes128Gcm } else { Suite::AesCm128HmacSha1_80 });
        prop_assert_eq!(unprotect(&mut unprotector, &bytes), None);
        prop_assert_eq!(unprotect_rtcp(&mut unprotector, &bytes), None);
    }
}

#[test]
fn so_many_sources_of_a_key_are_told_from_replays_and_the_one_that_was_silent_longest_is_forgotten() {
    for suite in Suite::ALL {
        let (mut protector, mut unprotector) = ends(suite);
        let sealed: Vec<Vec<u8>> = (0..=STREAMS_MAX as u32).map(|n| protect(&mut protector, &rtp(n, 7))).collect();
        let next = protect(&mut protector, &rtp(0, 8));
        for packet in sealed[..STREAMS_MAX].iter().chain([&next]) {
            assert!(unprotect(&mut unprotector, packet).is_some());
        }
        assert!(sealed[..STREAMS_MAX].iter().all(|packet| unprotect(&mut unprotector, packet).is_none()), "replays");
        assert!(unprotect(&mut unprotector, &sealed[STREAMS_MAX]).is_some());
        let others = [0, 2, 3, STREAMS_MAX].map(|n| &sealed[n]);
        assert!(others.into_iter().all(|packet| unprotect(&mut unprotector, packet).is_none()), "replays");
        assert!(unprotect(&mut unprotector, &sealed[1]).is_some(), "nobody knows any more that it came before");
    }
}
