//! The keys of a call's stream, as offers and answers come and go (RFC 4568 section 7).

use zeroize::Zeroizing;

use crate::config::Srtp;
use crate::media::session::Security as Agreed;
use crate::wire::sdp::{Encryption, Remote};
use crate::wire::srtp::{KEY_BYTES_MAX, Key, Suite};

/// The keys of one call.
#[derive(Default)]
pub struct Security {
    agreed: Option<Agreed>,
    /// Ours that wait for the answer to an offer of ours.
    offered: Vec<Key>,
    /// Nobody could read those on their way.
    offer_is_private: bool,
}

/// There is nothing to make a key of, or what was answered was not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

impl From<Srtp> for Encryption {
    fn from(srtp: Srtp) -> Self {
        match srtp {
            Srtp::Off => Encryption::Off,
            Srtp::Optional => Encryption::Optional,
            Srtp::Required => Encryption::Required,
        }
    }
}

impl Security {
    /// Takes an offer. Our key stays where theirs is what it was, and is a new one otherwise: whoever they hand the call
    /// over to is not to be understood by who had it before. `is_private`: the offer came by TLS.
    pub fn take_offer(&mut self, remote: &Remote, is_private: bool) -> Result<Option<Agreed>, NoKey> {
        self.agreed = match &remote.crypto {
            None => None,
            Some(crypto) => {
                let same = self.agreed.take().filter(|agreed| agreed.theirs == crypto.key);
                // What has once gone in clear is no secret any more.
                let is_private = is_private && same.as_ref().is_none_or(|agreed| agreed.is_private);
                let ours = match same {
                    Some(agreed) => agreed.ours,
                    None => new_key(crypto.key.suite())?,
                };
                Some(Agreed { ours, theirs: crypto.key.clone(), is_private })
            }
        };
        Ok(self.agreed.clone())
    }

    /// Our key, for the answer.
    pub fn ours(&self) -> Option<&Key> {
        self.agreed.as_ref().map(|agreed| &agreed.ours)
    }

    /// The keys of an offer of ours; none where it is for a stream that is not encrypted.
    ///
    /// A stream that is encrypted stays so. Else `optional` offers none: who can't take `RTP/SAVP` could only refuse it, in
    /// an ACK, which nobody can be asked again after. `is_private`: it goes by TLS.
    pub fn offer(&mut self, srtp: Srtp, is_private: bool) -> Result<&[Key], NoKey> {
        self.offer_is_private = is_private && self.agreed.as_ref().is_none_or(|agreed| agreed.is_private);
        self.offered = match (&self.agreed, srtp) {
            (Some(agreed), _) => vec![agreed.ours.clone()],
            (None, Srtp::Required) => Suite::ALL.into_iter().map(new_key).collect::<Result<_, _>>()?,
            (None, Srtp::Off | Srtp::Optional) => Vec::new(),
        };
        Ok(&self.offered)
    }

    /// What the answer to that offer is to be read as.
    pub fn expected(&self) -> Encryption {
        if self.offered.is_empty() { Encryption::Off } else { Encryption::Required }
    }

    /// Takes that answer; the key is ours of the suite that they chose.
    pub fn take_answer(&mut self, remote: &Remote, is_private: bool) -> Result<Option<Agreed>, NoKey> {
        let offered = std::mem::take(&mut self.offered);
        let is_private = is_private && self.offer_is_private;
        self.agreed = match &remote.crypto {
            None => None,
            Some(crypto) => {
                let ours = offered.into_iter().find(|key| key.suite() == crypto.key.suite()).ok_or(NoKey)?;
                let was_clear = |agreed: &Agreed| agreed.theirs == crypto.key && !agreed.is_private;
                let is_private = is_private && !self.agreed.as_ref().is_some_and(was_clear);
                Some(Agreed { ours, theirs: crypto.key.clone(), is_private })
            }
        };
        Ok(self.agreed.clone())
    }
}

fn new_key(suite: Suite) -> Result<Key, NoKey> {
    let mut random = Zeroizing::new([0; KEY_BYTES_MAX]);
    getrandom::fill(&mut *random).map_err(|_| NoKey)?;
    Ok(Key::new(suite, &random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::g711::Law;
    use crate::wire::sdp;
    use crate::wire::srtp::Crypto;

    fn remote(key: Option<&Key>) -> Remote {
        let proto = if key.is_some() { "RTP/SAVP" } else { "RTP/AVP" };
        let crypto = key.map(|key| Crypto { tag: 1, key: key.clone() }.line().to_string()).unwrap_or_default();
        let text = format!(
            "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 {proto} 0\r\n{crypto}"
        );
        sdp::read(text.as_bytes(), &[Law::Mu], Encryption::Optional).expect("a description")
    }

    fn key(suite: Suite, seed: u8) -> Key {
        Key::new(suite, &[seed; KEY_BYTES_MAX])
    }

    #[test]
    fn our_key_stays_as_long_as_theirs_does() {
        let (gcm, other) = (key(Suite::AeadAes128Gcm, 1), key(Suite::AeadAes128Gcm, 2));
        let mut security = Security::default();
        let first = security.take_offer(&remote(Some(&gcm)), true).expect("a key").expect("encrypted");
        assert_eq!((&first.theirs, first.ours.suite(), first.is_private), (&gcm, Suite::AeadAes128Gcm, true));
        assert_ne!(first.ours, gcm);
        let again = security.take_offer(&remote(Some(&gcm)), false).expect("a key").expect("encrypted");
        assert_eq!((&again.ours, again.is_private), (&first.ours, false), "this offer could be read on its way");
        let rekeyed = security.take_offer(&remote(Some(&other)), true).expect("a key").expect("encrypted");
        assert_ne!(rekeyed.ours, first.ours);
        let changed = security.take_offer(&remote(Some(&key(Suite::AesCm128HmacSha1_80, 2))), true);
        assert_eq!(changed.expect("a key").expect("encrypted").ours.suite(), Suite::AesCm128HmacSha1_80);
        assert_eq!(security.take_offer(&remote(None), true), Ok(None));
        assert_eq!(security.ours(), None);
    }

    #[test]
    fn a_key_that_has_gone_in_clear_is_no_secret_again() {
        let (mut security, theirs) = (Security::default(), key(Suite::AeadAes128Gcm, 1));
        let is_private = |agreed: Result<Option<Agreed>, NoKey>| agreed.expect("a key").expect("encrypted").is_private;
        assert!(!is_private(security.take_offer(&remote(Some(&theirs)), false)));
        assert!(!is_private(security.take_offer(&remote(Some(&theirs)), true)), "the same again, by TLS");
        assert!(is_private(security.take_offer(&remote(Some(&key(Suite::AeadAes128Gcm, 2))), true)), "a new one");
        security.offer(Srtp::Optional, false).expect("keys");
        let other = key(Suite::AeadAes128Gcm, 3);
        assert!(!is_private(security.take_answer(&remote(Some(&other)), true)), "ours went in clear");
        security.offer(Srtp::Optional, true).expect("keys");
        assert!(
            !is_private(security.take_answer(&remote(Some(&key(Suite::AeadAes128Gcm, 4))), true)),
            "and is the same"
        );
    }

    #[test]
    fn two_calls_have_two_keys() {
        let ours = || {
            let mut security = Security::default();
            security.take_offer(&remote(Some(&key(Suite::AesCm128HmacSha1_80, 1))), true).expect("a key");
            security.ours().cloned().expect("encrypted")
        };
        assert_ne!(ours(), ours());
    }

    #[test]
    fn the_answer_to_our_offer_chooses_one_of_our_keys() {
        let mut security = Security::default();
        let offered = security.offer(Srtp::Required, true).expect("keys").to_vec();
        assert_eq!(security.expected(), Encryption::Required);
        let agreed = security.take_answer(&remote(Some(&key(Suite::AeadAes128Gcm, 1))), true).expect("a key");
        assert_eq!(agreed.map(|agreed| agreed.ours).as_ref(), offered.get(1));
        // It stays encrypted, under the same key, whatever is wanted of new calls.
        assert_eq!(security.offer(Srtp::Off, true).expect("keys"), &offered[1..]);
        let unasked = security.take_answer(&remote(Some(&key(Suite::AesCm128HmacSha1_80, 1))), true);
        assert_eq!(unasked, Err(NoKey), "a suite that was not offered");
    }

    #[test]
    fn without_need_our_offer_is_plain() {
        for srtp in [Srtp::Off, Srtp::Optional] {
            let mut security = Security::default();
            assert_eq!(security.offer(srtp, true), Ok(&[][..]));
            assert_eq!(security.expected(), Encryption::Off);
            assert_eq!(security.take_answer(&remote(None), true), Ok(None));
        }
    }
}
