//! The keys of a session and what is done with them to one packet (RFC 3711 section 4, RFC 7714 sections 8 and 9).

use aes::Aes128;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut as _, Aes128Gcm};
use ctr::cipher::{InnerIvInit as _, StreamCipher as _};
use ctr::{Ctr128BE, CtrCore};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::{Key, RTCP_HEADER_BYTES, RTCP_INDEX_BYTES, Suite, be32};

/// Bytes of an AES-128 key.
const AES_KEY_BYTES: usize = 16;
/// Bytes of a salt that AES in counter mode takes (RFC 3711 section 8.2).
const SALT_BYTES: usize = 14;
/// Bytes of a salt that AES-GCM takes (RFC 7714 section 8.1).
const GCM_SALT_BYTES: usize = 12;
/// Bytes of the key of HMAC-SHA1 (RFC 3711 section 5.2).
const AUTH_KEY_BYTES: usize = 20;

/// What session keys are for: each kind of packet has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Rtp,
    Rtcp,
}

/// The session keys for one kind of packet.
#[expect(clippy::large_enum_variant, reason = "the larger one is that of nearly all calls")]
pub(super) enum Cipher {
    AesCm { aes: Aes128, salt: Zeroizing<[u8; SALT_BYTES]>, hmac: Hmac<Sha1> },
    AesGcm { gcm: Box<Aes128Gcm>, salt: Zeroizing<[u8; GCM_SALT_BYTES]> },
}

impl Cipher {
    /// Derives them (RFC 3711 section 4.3; the key derivation rate is 0).
    pub(super) fn new(key: &Key, use_for: Use) -> Self {
        let (master, salt) = key.bytes.split_at(AES_KEY_BYTES);
        let derivation = Derivation::new(master, salt);
        // The labels of encryption key, authentication key and salt (section 4.3.2).
        let labels = match use_for {
            Use::Rtp => [0, 1, 2],
            Use::Rtcp => [3, 4, 5],
        };
        let aes_key = derivation.derive::<AES_KEY_BYTES>(labels[0]);
        match key.suite {
            Suite::AesCm128HmacSha1_80 => {
                let auth_key = derivation.derive::<AUTH_KEY_BYTES>(labels[1]);
                Self::aes_cm(&aes_key, derivation.derive(labels[2]), &auth_key)
            }
            Suite::AeadAes128Gcm => Self::aes_gcm(&aes_key, derivation.derive(labels[2])),
        }
    }

    /// Of session keys.
    pub(super) fn aes_cm(
        key: &[u8; AES_KEY_BYTES],
        salt: Zeroizing<[u8; SALT_BYTES]>,
        auth_key: &[u8; AUTH_KEY_BYTES],
    ) -> Self {
        let mut block = Zeroizing::new([0; 64]);
        block[..AUTH_KEY_BYTES].copy_from_slice(auth_key);
        // A key that is padded to a whole block is the same key (RFC 2104).
        Self::AesCm { aes: Aes128::new(key.into()), salt, hmac: Hmac::new((&*block).into()) }
    }

    /// Of session keys.
    pub(super) fn aes_gcm(key: &[u8; AES_KEY_BYTES], salt: Zeroizing<[u8; GCM_SALT_BYTES]>) -> Self {
        Self::AesGcm { gcm: Box::new(Aes128Gcm::new(key.into())), salt }
    }

    fn tag_bytes(&self) -> usize {
        match self {
            Cipher::AesCm { .. } => Suite::AesCm128HmacSha1_80.tag_bytes(),
            Cipher::AesGcm { .. } => Suite::AeadAes128Gcm.tag_bytes(),
        }
    }

    /// Encrypts a packet that has room for the tag at its end.
    pub(super) fn encrypt_rtp(&self, packet: &mut [u8], header: usize, ssrc: u32, index: u64) -> Option<()> {
        let (body, tag) = packet.split_at_mut_checked(packet.len().checked_sub(self.tag_bytes())?)?;
        match self {
            Cipher::AesCm { aes, salt, hmac } => {
                key_stream(aes, &counter(salt, ssrc, index), body.get_mut(header..)?)?;
                let code = hmac.clone().chain_update(&*body).chain_update(rollovers(index)).finalize().into_bytes();
                tag.copy_from_slice(code.get(..tag.len())?);
            }
            Cipher::AesGcm { gcm, salt } => {
                let (head, payload) = body.split_at_mut_checked(header)?;
                let nonce = rtp_nonce(salt, ssrc, index);
                let sealed = gcm.encrypt_inout_detached((&nonce).into(), head, InOutBuf::from(payload)).ok()?;
                tag.copy_from_slice(&sealed);
            }
        }
        Some(())
    }

    /// Checks a packet and decrypts it; one that is not the peer's stays as it is, and gives `None`.
    pub(super) fn decrypt_rtp(&self, packet: &mut [u8], header: usize, ssrc: u32, index: u64) -> Option<()> {
        let (body, tag) = packet.split_at_mut_checked(packet.len().checked_sub(self.tag_bytes())?)?;
        match self {
            Cipher::AesCm { aes, salt, hmac } => {
                let code = hmac.clone().chain_update(&*body).chain_update(rollovers(index));
                code.verify_truncated_left(tag).ok()?;
                key_stream(aes, &counter(salt, ssrc, index), body.get_mut(header..)?)
            }
            Cipher::AesGcm { gcm, salt } => {
                let (head, payload) = body.split_at_mut_checked(header)?;
                let nonce = rtp_nonce(salt, ssrc, index);
                let tag: &[u8; 16] = (&*tag).try_into().ok()?;
                gcm.decrypt_inout_detached((&nonce).into(), head, InOutBuf::from(payload), tag.into()).ok()
            }
        }
    }

    /// The E bit and the index of a protected RTCP packet: at its end, but before a tag of HMAC (RFC 3711 section 3.4, RFC
    /// 7714 section 9.3).
    pub(super) fn rtcp_index(&self, packet: &[u8]) -> Option<u32> {
        let after = match self {
            Cipher::AesCm { .. } => self.tag_bytes(),
            Cipher::AesGcm { .. } => 0,
        };
        be32(packet, packet.len().checked_sub(after + RTCP_INDEX_BYTES)?)
    }

    /// Encrypts an RTCP packet of `length` bytes that has room for index and tag behind it; `word` is the E bit with the
    /// index.
    pub(super) fn encrypt_rtcp(&self, packet: &mut [u8], length: usize, ssrc: u32, word: u32) -> Option<()> {
        let index = word & (u32::MAX >> 1);
        match self {
            Cipher::AesCm { aes, salt, hmac } => {
                let payload = packet.get_mut(RTCP_HEADER_BYTES..length)?;
                key_stream(aes, &counter(salt, ssrc, index.into()), payload)?;
                packet.get_mut(length..length + RTCP_INDEX_BYTES)?.copy_from_slice(&word.to_be_bytes());
                let (body, tag) = packet.split_at_mut_checked(length + RTCP_INDEX_BYTES)?;
                let code = hmac.clone().chain_update(&*body).finalize().into_bytes();
                tag.copy_from_slice(code.get(..tag.len())?);
            }
            Cipher::AesGcm { gcm, salt } => {
                let (body, end) = packet.split_at_mut_checked(length)?;
                let (head, payload) = body.split_at_mut_checked(RTCP_HEADER_BYTES)?;
                let (nonce, aad) = (rtcp_nonce(salt, ssrc, index), rtcp_aad(head, word)?);
                let sealed = gcm.encrypt_inout_detached((&nonce).into(), &aad, InOutBuf::from(payload)).ok()?;
                let (tag, last) = end.split_at_mut_checked(self.tag_bytes())?;
                tag.copy_from_slice(&sealed);
                last.copy_from_slice(&word.to_be_bytes());
            }
        }
        Some(())
    }

    /// Checks an RTCP packet, whose index was read, and decrypts it: `end` bytes of it are the packet proper.
    pub(super) fn decrypt_rtcp(&self, packet: &mut [u8], end: usize, ssrc: u32, word: u32) -> Option<()> {
        let index = word & (u32::MAX >> 1);
        match self {
            Cipher::AesCm { aes, salt, hmac } => {
                let (body, tag) = packet.split_at_mut_checked(end + RTCP_INDEX_BYTES)?;
                hmac.clone().chain_update(&*body).verify_truncated_left(tag).ok()?;
                key_stream(aes, &counter(salt, ssrc, index.into()), body.get_mut(RTCP_HEADER_BYTES..end)?)
            }
            Cipher::AesGcm { gcm, salt } => {
                let (body, rest) = packet.split_at_mut_checked(end)?;
                let (head, payload) = body.split_at_mut_checked(RTCP_HEADER_BYTES)?;
                let (nonce, aad) = (rtcp_nonce(salt, ssrc, index), rtcp_aad(head, word)?);
                let tag: &[u8; 16] = rest.get(..self.tag_bytes())?.try_into().ok()?;
                gcm.decrypt_inout_detached((&nonce).into(), &aad, InOutBuf::from(payload), tag.into()).ok()
            }
        }
    }
}

/// Where session keys come from: AES in counter mode as a pseudo-random function (RFC 3711 section 4.3.3).
struct Derivation {
    aes: Aes128,
    /// A salt of AES-GCM is 16 bits shorter, with zeros behind it (RFC 7714 section 11).
    salt: Zeroizing<[u8; SALT_BYTES]>,
}

impl Derivation {
    fn new(master: &[u8], salt: &[u8]) -> Self {
        let (mut key, mut long) = (Zeroizing::new([0; AES_KEY_BYTES]), Zeroizing::new([0; SALT_BYTES]));
        key.iter_mut().zip(master).for_each(|(to, from)| *to = *from);
        long.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
        Self { aes: Aes128::new((&*key).into()), salt: long }
    }

    fn derive<const BYTES: usize>(&self, label: u64) -> Zeroizing<[u8; BYTES]> {
        let mut key = Zeroizing::new([0; BYTES]);
        // No source, and the label in front of an index of 48 bits. No key is as long as what one counter is good for.
        let _ = key_stream(&self.aes, &counter(&self.salt, 0, label << 48), &mut key[..]);
        key
    }
}

/// Adds the key stream to the data: encrypts and decrypts.
fn key_stream(aes: &Aes128, counter: &[u8; 16], data: &mut [u8]) -> Option<()> {
    Ctr128BE::from_core(CtrCore::inner_iv_init(aes, counter.into())).try_apply_keystream(data).ok()
}

/// Where a packet's key stream begins (RFC 3711 section 4.1.1): salt, source and index, each in its place.
fn counter(salt: &[u8; SALT_BYTES], ssrc: u32, index: u64) -> [u8; 16] {
    let mut block = [0; 16];
    block[..SALT_BYTES].copy_from_slice(salt);
    (u128::from_be_bytes(block) ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16).to_be_bytes()
}

/// The rollover counter, which a tag is made of as well (RFC 3711 section 4.2).
fn rollovers(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// RFC 7714 section 8.1.
fn rtp_nonce(salt: &[u8; GCM_SALT_BYTES], ssrc: u32, index: u64) -> [u8; GCM_SALT_BYTES] {
    nonce(salt, u128::from(ssrc) << 48 | u128::from(index))
}

/// RFC 7714 section 9.1.
fn rtcp_nonce(salt: &[u8; GCM_SALT_BYTES], ssrc: u32, index: u32) -> [u8; GCM_SALT_BYTES] {
    nonce(salt, u128::from(ssrc) << 48 | u128::from(index))
}

fn nonce(salt: &[u8; GCM_SALT_BYTES], packet: u128) -> [u8; GCM_SALT_BYTES] {
    let mut nonce = *salt;
    nonce.iter_mut().zip(packet.to_be_bytes().into_iter().skip(4)).for_each(|(to, from)| *to ^= from);
    nonce
}

/// What is not encrypted of an RTCP packet and checked all the same (RFC 7714 section 9.2).
fn rtcp_aad(head: &[u8], word: u32) -> Option<[u8; RTCP_HEADER_BYTES + RTCP_INDEX_BYTES]> {
    let mut aad = [0; RTCP_HEADER_BYTES + RTCP_INDEX_BYTES];
    aad.get_mut(..RTCP_HEADER_BYTES)?.copy_from_slice(head);
    aad.get_mut(RTCP_HEADER_BYTES..)?.copy_from_slice(&word.to_be_bytes());
    Some(aad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::srtp::tests::hex;

    fn array<const BYTES: usize>(text: &str) -> [u8; BYTES] {
        hex(text).try_into().expect("the length")
    }

    /// RFC 3711 appendix B.2.
    #[test]
    fn the_key_stream_of_aes_in_counter_mode() {
        let aes = Aes128::new(&array::<16>("2B7E151628AED2A6ABF7158809CF4F3C").into());
        let start = counter(&array("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"), 0, 0);
        let mut stream = vec![0; 0xFF02 * 16];
        key_stream(&aes, &start, &mut stream).expect("a stream");
        for (block, expected) in [
            (0, "E03EAD0935C95E80E166B16DD92B4EB4"),
            (1, "D23513162B02D0F72A43A2FE4A5F97AB"),
            (2, "41E95B3BB0A2E8DD477901E4FCA894C0"),
            (0xFEFF, "EC8CDF7398607CB0F2D21675EA9EA1E4"),
            (0xFF00, "362B7C3C6773516318A077D7FC5073AE"),
            (0xFF01, "6A2CC3787889374FBEB4C81B17BA6C44"),
        ] {
            assert_eq!(stream[block * 16..][..16], hex(expected), "block {block:04x}");
        }
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn session_keys_are_derived() {
        let derivation =
            Derivation::new(&hex("E1F97A0D3E018BE0D64FA32C06DE4139"), &hex("0EC675AD498AFEEBB6960B3AABE6"));
        assert_eq!(*derivation.derive::<16>(0), array("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(*derivation.derive::<14>(2), array("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(*derivation.derive::<20>(1), array("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }

    fn gcm() -> Cipher {
        Cipher::aes_gcm(&array("000102030405060708090a0b0c0d0e0f"), Zeroizing::new(array("517569642070726f2071756f")))
    }

    /// RFC 7714 section 16.1.
    #[test]
    fn an_rtp_packet_by_aes_gcm() {
        let plain = hex(concat!(
            "8040f17b8041f8d35501a0b2",
            "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
        ));
        let sealed = hex(concat!(
            "8040f17b8041f8d35501a0b2",
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833",
            "899d7f27beb16a9152cf765ee4390cce"
        ));
        assert_eq!(
            rtp_nonce(&array("517569642070726f2071756f"), 0x5501_a0b2, 0xf17b),
            array("51753c6580c2726f20718414")
        );
        let mut packet = [&plain[..], &[0; 16]].concat();
        gcm().encrypt_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b).expect("encrypted");
        assert_eq!(packet, sealed);
        gcm().decrypt_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b).expect("the peer's");
        assert_eq!(packet[..plain.len()], plain);
    }

    /// RFC 7714 section 17.1.
    #[test]
    fn an_rtcp_packet_by_aes_gcm() {
        let plain = hex(concat!(
            "81c8000d4d617273",
            "4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"
        ));
        let sealed = hex(concat!(
            "81c8000d4d617273",
            "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b",
            "c84aa45896cf4d2fc5abf87245d9eade",
            "800005d4"
        ));
        let mut packet = [&plain[..], &[0; 20]].concat();
        gcm().encrypt_rtcp(&mut packet, plain.len(), 0x4d61_7273, 0x8000_05d4).expect("encrypted");
        assert_eq!(packet, sealed);
        assert_eq!(gcm().rtcp_index(&packet), Some(0x8000_05d4));
        gcm().decrypt_rtcp(&mut packet, plain.len(), 0x4d61_7273, 0x8000_05d4).expect("the peer's");
        assert_eq!(packet[..plain.len()], plain);
    }
}
