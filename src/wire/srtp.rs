//! SRTP and SRTCP (RFC 3711), with AES in counter mode and HMAC-SHA1 or with AES-GCM (RFC 7714), and the keys that SDP
//! brings (RFC 4568).
//!
//! A [`Protector`] encrypts what we send, an [`Unprotector`] checks and decrypts what comes; both work in the packet's own
//! buffer and allocate nothing. Keys are wiped when they are dropped, and no `Debug` prints them.

mod cipher;
mod replay;
mod sdes;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

use super::rtp::HEADER_BYTES;
use cipher::{Cipher, Use};
use replay::Window;
pub use sdes::Crypto;

/// Longest master key with its salt, in bytes.
pub const KEY_BYTES_MAX: usize = 30;
/// Bytes that protection adds to an RTP packet, at most.
pub const RTP_EXTRA_MAX: usize = 16;
/// Bytes that protection adds to an RTCP packet, at most.
pub const RTCP_EXTRA_MAX: usize = 20;
/// Sources of one key whose packets are told from replayed ones; of more the one that was silent longest is forgotten.
const STREAMS_MAX: usize = 4;
/// Bytes at the front of an RTCP packet that stay readable.
const RTCP_HEADER_BYTES: usize = 8;
/// The E bit with the SRTCP index.
const RTCP_INDEX_BYTES: usize = 4;
/// The E bit: the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// A crypto suite (RFC 4568 section 6.2, RFC 7714 section 14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// AES-128 in counter mode, HMAC-SHA1 of 80 bits.
    AesCm128HmacSha1_80,
    /// AES-128 in Galois/counter mode, with a tag of 128 bits.
    AeadAes128Gcm,
}

impl Suite {
    /// All, in the order in which we offer them: what every telephone with SRTP has comes first.
    pub const ALL: [Suite; 2] = [Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm];

    /// The name in SDP.
    pub fn name(self) -> &'static str {
        match self {
            Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AeadAes128Gcm => "AEAD_AES_128_GCM",
        }
    }

    /// The suite of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Bytes of the master key and its salt.
    fn key_bytes(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1_80 => 30,
            Suite::AeadAes128Gcm => 28,
        }
    }

    /// Bytes of the authentication tag.
    fn tag_bytes(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1_80 => 10,
            Suite::AeadAes128Gcm => 16,
        }
    }
}

/// A master key with its salt; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    suite: Suite,
    bytes: Zeroizing<[u8; KEY_BYTES_MAX]>,
}

impl Key {
    /// Of random bytes, which are to come from the system's random source.
    pub fn new(suite: Suite, random: &[u8; KEY_BYTES_MAX]) -> Self {
        let mut bytes = Zeroizing::new(*random);
        bytes.iter_mut().skip(suite.key_bytes()).for_each(|byte| *byte = 0);
        Self { suite, bytes }
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        self.suite
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.suite.name())
    }
}

/// What encrypts the packets that we send under one key.
pub struct Protector {
    suite: Suite,
    rtp: Cipher,
    rtcp: Cipher,
    rollovers: u32,
    newest: Option<u16>,
    rtcp_index: u32,
}

impl Protector {
    /// Begins with that key.
    pub fn new(key: &Key) -> Self {
        let (rtp, rtcp) = (Cipher::new(key, Use::Rtp), Cipher::new(key, Use::Rtcp));
        Self { suite: key.suite, rtp, rtcp, rollovers: 0, newest: None, rtcp_index: 0 }
    }

    /// How often the sequence numbers have wrapped under this key.
    pub fn rollovers(&self) -> u32 {
        self.rollovers
    }

    /// Encrypts the RTP packet of `length` bytes at the front of `buffer`; the new length. Packets are to come in the order
    /// of their sequence numbers.
    ///
    /// `None` where it is no RTP packet, the buffer is too small, or the key is used up (RFC 3711 section 9.2): the buffer's
    /// contents are not to be sent then.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let header = rtp_header_bytes(buffer.get(..length)?)?;
        let (sequence, ssrc) = (be16(buffer, 2)?, be32(buffer, 8)?);
        if self.newest.is_some_and(|newest| sequence < newest) {
            self.rollovers = self.rollovers.checked_add(1)?;
        }
        self.newest = Some(sequence);
        let end = length + self.suite.tag_bytes();
        let index = u64::from(self.rollovers) << 16 | u64::from(sequence);
        let packet = buffer.get_mut(..end)?;
        self.rtp.encrypt_rtp(packet, header, ssrc, index)?;
        Some(end)
    }

    /// Encrypts the compound RTCP packet of `length` bytes at the front of `buffer`; the new length.
    ///
    /// `None` as for [`Self::protect_rtp`].
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        if length < RTCP_HEADER_BYTES {
            return None;
        }
        let ssrc = be32(buffer, 4)?;
        let index = self.rtcp_index;
        if index >= ENCRYPTED {
            return None;
        }
        self.rtcp_index += 1;
        let end = length + RTCP_INDEX_BYTES + self.suite.tag_bytes();
        self.rtcp.encrypt_rtcp(buffer.get_mut(..end)?, length, ssrc, ENCRYPTED | index)?;
        Some(end)
    }
}

/// What checks and decrypts the packets that come under one key: forged ones and replayed ones are told from it (RFC 3711
/// section 3.3).
pub struct Unprotector {
    suite: Suite,
    rtp: Cipher,
    rtcp: Cipher,
    rtp_streams: Streams,
    rtcp_streams: Streams,
    /// Where a source may begin that was heard under another key before.
    rollovers: u32,
}

impl Unprotector {
    /// Begins with that key. `rollovers`: how often the peer's sequence numbers had wrapped under the key before, as some
    /// peers go on counting (RFC 3711 section 3.3.1) and others begin again.
    pub fn new(key: &Key, rollovers: u32) -> Self {
        let (rtp, rtcp) = (Cipher::new(key, Use::Rtp), Cipher::new(key, Use::Rtcp));
        let (rtp_streams, rtcp_streams) = (Streams::default(), Streams::default());
        Self { suite: key.suite, rtp, rtcp, rtp_streams, rtcp_streams, rollovers }
    }

    /// How often the sequence numbers of the source that was heard last have wrapped.
    pub fn rollovers(&self) -> u32 {
        let newest = self.rtp_streams.newest();
        newest.map_or(self.rollovers, |stream| u32::try_from(stream.window.newest() >> 16).unwrap_or(u32::MAX))
    }

    /// Decrypts an RTP packet; its new length, or `None` where it is no packet of the peer's, or was seen before: the
    /// contents are not to be looked at then.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let end = packet.len().checked_sub(self.suite.tag_bytes())?;
        let header = rtp_header_bytes(packet.get(..end)?)?;
        let (sequence, ssrc) = (be16(packet, 2)?, be32(packet, 8)?);
        let window = self.rtp_streams.of(ssrc).map(|stream| &stream.window);
        let indices = match window {
            Some(window) => [window.index_of(sequence), None],
            None => {
                let after = |rollovers: u32| u64::from(rollovers) << 16 | u64::from(sequence);
                [Some(after(0)), Some(after(self.rollovers)).filter(|_| self.rollovers > 0)]
            }
        };
        let is_new = |index: &u64| window.is_none_or(|window| window.is_new(*index));
        let index = indices
            .into_iter()
            .flatten()
            .filter(is_new)
            .find(|index| self.rtp.decrypt_rtp(packet, header, ssrc, *index).is_some())?;
        self.rtp_streams.note(ssrc, index);
        Some(end)
    }

    /// Decrypts a compound RTCP packet; as [`Self::unprotect_rtp`]. One that is not encrypted is refused: nobody agreed to
    /// that.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let end = packet.len().checked_sub(self.suite.tag_bytes() + RTCP_INDEX_BYTES)?;
        if end < RTCP_HEADER_BYTES || packet.first()? >> 6 != 2 {
            return None;
        }
        let ssrc = be32(packet, 4)?;
        let word = self.rtcp.rtcp_index(packet)?;
        let index = u64::from(word & !ENCRYPTED);
        let is_new = self.rtcp_streams.of(ssrc).is_none_or(|stream| stream.window.is_new(index));
        if word & ENCRYPTED == 0 || !is_new {
            return None;
        }
        self.rtcp.decrypt_rtcp(packet, end, ssrc, word)?;
        self.rtcp_streams.note(ssrc, index);
        Some(end)
    }
}

/// The sources that have been heard under a key.
#[derive(Default)]
struct Streams {
    streams: [Option<Stream>; STREAMS_MAX],
    packets: u64,
}

struct Stream {
    ssrc: u32,
    window: Window,
    /// Which packet of all was its last one.
    last: u64,
}

impl Streams {
    fn of(&self, ssrc: u32) -> Option<&Stream> {
        self.streams.iter().flatten().find(|stream| stream.ssrc == ssrc)
    }

    fn newest(&self) -> Option<&Stream> {
        self.streams.iter().flatten().max_by_key(|stream| stream.last)
    }

    /// Notes a packet that has proved to be the peer's.
    fn note(&mut self, ssrc: u32, index: u64) {
        self.packets += 1;
        let last = self.packets;
        if let Some(stream) = self.streams.iter_mut().flatten().find(|stream| stream.ssrc == ssrc) {
            stream.window.note(index);
            stream.last = last;
            return;
        }
        // A free place comes first, then the one that was silent longest.
        if let Some(place) = self.streams.iter_mut().min_by_key(|place| place.as_ref().map_or(0, |stream| stream.last))
        {
            *place = Some(Stream { ssrc, window: Window::new(index), last });
        }
    }
}

/// Bytes before the payload: header, sources, extension; `None` where it is no RTP version 2 packet.
fn rtp_header_bytes(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let fixed = HEADER_BYTES + 4 * usize::from(first & 0x0F);
    let has_extension = first & 0x10 != 0;
    let header = if has_extension { fixed + 4 + 4 * usize::from(be16(packet, fixed + 2)?) } else { fixed };
    (header <= packet.len()).then_some(header)
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
