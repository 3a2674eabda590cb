//! Who calls, as far as SIP tells: what the store counts and audits by.

use crate::access::source;
use crate::model::{Extension, Network};
use crate::sip::Incoming;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Where the call comes from, as audit and lock-outs name it: the peer and, by it, the number or the account.
    pub source: String,
    /// The extension, as a trusted peer says: P-Asserted-Identity, else From.
    pub extension: Option<Extension>,
}

impl Caller {
    /// Of a call that comes in.
    pub fn of(incoming: &Incoming) -> Self {
        let peer = incoming.flow.peer.ip().to_canonical();
        if !incoming.is_trusted {
            // Who has one IPv6 address has 2^64 of them: they count as one.
            let place = Network::of(peer);
            return Self { source: source(place, incoming.account.as_deref()), extension: None };
        }
        let number = incoming.asserted_user.as_deref().or(incoming.from_user.as_deref());
        Self { source: source(peer, number), extension: number.and_then(Extension::parse) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{DialogKey, Flow, Transport};

    fn incoming(peer: &str, is_trusted: bool) -> Incoming {
        let flow = Flow {
            transport: Transport::Udp,
            peer: peer.parse().expect("an address"),
            local: "192.0.2.1:5060".parse().expect("an address"),
        };
        Incoming {
            dialog: DialogKey(1),
            call_id: "c1".into(),
            to_user: "7000".into(),
            from_user: Some("1004".into()),
            is_trusted,
            account: None,
            asserted_user: None,
            flow,
            offer: None,
        }
    }

    fn of(incoming: &Incoming) -> (String, Option<String>) {
        let Caller { source, extension } = Caller::of(incoming);
        (source, extension.map(|extension| extension.to_string()))
    }

    #[test]
    fn a_trusted_peer_tells_its_callers_apart_and_what_it_asserts_goes_before_from() {
        let call = incoming("10.0.0.5:5060", true);
        assert_eq!(of(&call), ("10.0.0.5 (1004)".into(), Some("1004".into())));
        let asserted = Incoming { asserted_user: Some("1005".into()), ..call.clone() };
        assert_eq!(of(&asserted), ("10.0.0.5 (1005)".into(), Some("1005".into())));
        let outside = Incoming { from_user: Some("+15551234567".into()), ..call.clone() };
        assert_eq!(of(&outside), ("10.0.0.5 (+15551234567)".into(), None));
        let nobody = Incoming { from_user: None, ..call };
        assert_eq!(of(&nobody), ("10.0.0.5".into(), None));
        assert_eq!(of(&incoming("[::ffff:10.0.0.5]:5060", true)).0, "10.0.0.5 (1004)");
    }

    #[test]
    fn everybody_else_is_who_they_have_shown_to_be_and_no_extension() {
        let call = Incoming { account: Some("road".into()), ..incoming("203.0.113.9:5060", false) };
        assert_eq!(of(&call), ("203.0.113.9 (road)".into(), None));
        let [one, other] = ["[2001:db8:1:2:3:4:5:6]:5060", "[2001:db8:1:2:ffff::1]:5060"]
            .map(|peer| of(&Incoming { account: Some("road".into()), ..incoming(peer, false) }));
        assert_eq!(one, ("2001:db8:1:2::/64 (road)".into(), None));
        assert_eq!(one, other, "one subscriber");
    }
}
