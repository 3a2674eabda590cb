//! Whether our packets are wanted where they go.
//!
//! An offer may name any address, so a caller could have our stream sent to somebody who never asked for it. To the SIP
//! peer's own address it goes always (a phone that only listens shows nothing by RTP). Elsewhere (a phone behind a PBX
//! that lets media pass it by) it goes on only while something comes from there: RTP that is let in, or an RTCP report on
//! our stream, whose number only who gets it knows. ICE asks for the same by STUN (RFC 7675).

use std::net::IpAddr;

/// Packets to an address from which nothing has come yet: 5 s of them.
const UNPROVEN_MAX: u32 = 250;
/// Packets after the last sign of an address from which something had come: 30 s of them, as long as a consent lasts by
/// RFC 7675 section 5.1. A phone that suppresses silence is quiet for less.
const SILENT_MAX: u32 = 1500;

/// What is known about it, of one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Consent {
    /// Where SIP comes from; `None` where that is not known, and then all is wanted.
    peer: Option<IpAddr>,
    /// Whether something has come from where our packets go.
    is_proven: bool,
    /// Packets sent since.
    sent: u32,
}

impl Consent {
    /// SIP comes from there.
    pub fn set_peer(&mut self, peer: IpAddr) {
        self.peer = Some(peer.to_canonical());
    }

    /// Something came from where our packets go.
    pub fn prove(&mut self) {
        (self.is_proven, self.sent) = (true, 0);
    }

    /// Our packets go elsewhere from now on. Who names one address after the other has 5 s for all of them together.
    pub fn begin_anew(&mut self) {
        if std::mem::take(&mut self.is_proven) {
            self.sent = 0;
        }
    }

    /// Whether a packet may go there now.
    pub fn is_given(&self, to: IpAddr) -> bool {
        let Some(peer) = self.peer else { return true };
        let to = to.to_canonical();
        let sent_max = if self.is_proven { SILENT_MAX } else { UNPROVEN_MAX };
        is_for(peer, to) && (to == peer || self.sent < sent_max)
    }

    /// A packet was sent.
    pub fn count(&mut self) {
        self.sent = self.sent.saturating_add(1);
    }
}

/// Whether an address may be named by that peer: this host's own loopback only from there.
pub fn is_for(peer: IpAddr, named: IpAddr) -> bool {
    peer.to_canonical().is_loopback() || !named.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 9));

    fn consent() -> Consent {
        let mut consent = Consent::default();
        consent.set_peer(PEER);
        consent
    }

    /// How many of so many packets go there.
    fn sent(consent: &mut Consent, to: IpAddr, packets: usize) -> usize {
        let send = |_: &usize| {
            let is_given = consent.is_given(to);
            if is_given {
                consent.count();
            }
            is_given
        };
        (0..packets).filter(send).count()
    }

    #[test]
    fn who_is_silent_elsewhere_gets_five_seconds_and_who_spoke_thirty() {
        let mut consent = consent();
        assert_eq!((sent(&mut consent, ELSEWHERE, 10_000), sent(&mut consent, PEER, 10_000)), (250, 10_000));
        consent.prove();
        assert_eq!(sent(&mut consent, ELSEWHERE, 10_000), 1500);
        consent.prove();
        assert_eq!(sent(&mut consent, ELSEWHERE, 10_000), 1500, "a sign at any time is enough");
    }

    #[test]
    fn many_addresses_have_no_more_than_one() {
        let mut consent = consent();
        let mut all = 0;
        for _ in 0..50 {
            consent.begin_anew();
            all += sent(&mut consent, ELSEWHERE, 100);
        }
        assert_eq!(all, 250);
        consent.prove();
        consent.begin_anew();
        assert_eq!(sent(&mut consent, ELSEWHERE, 10_000), 250, "after one that wanted it the next has its own");
    }

    #[test]
    fn the_loopback_is_for_who_is_on_it() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        for own in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"].map(address) {
            assert!(!is_for(PEER, own) && is_for(address("127.0.0.9"), own) && is_for(address("::1"), own), "{own}");
            let mut consent = consent();
            consent.prove();
            assert!(!consent.is_given(own), "{own}");
        }
    }
}
