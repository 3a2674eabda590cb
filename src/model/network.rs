//! Whom an address is counted with.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The IPv6 network that one subscriber has whole, in bits: never less (RFC 6177 section 2).
const SUBSCRIBER_BITS: u8 = 64;
/// The IPv6 network that one site may have whole, in bits (RFC 6177 section 1): 65,536 of the smaller ones.
const SITE_BITS: u8 = 48;

/// The addresses that count as one: an IPv4 address, or an IPv6 network of 64 or 48 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// What whoever has this address has for certain: an IPv4 address, or the IPv6 network of 64 bits. An IPv4 address
    /// that is written as an IPv6 one counts as IPv4.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self { first: address.into(), bits: 32 },
            IpAddr::V6(address) => Self::around(address, SUBSCRIBER_BITS),
        }
    }

    /// What they may have as well: the IPv6 network of 48 bits; `None` for IPv4, where addresses are dear.
    pub fn site_of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(Self::around(address, SITE_BITS)),
        }
    }

    fn around(address: Ipv6Addr, bits: u8) -> Self {
        let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
        Self { first: Ipv6Addr::from(u128::from(address) & mask).into(), bits }
    }
}

/// `203.0.113.9`, or `2001:db8:1:2::/64`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(address) => write!(f, "{address}/{}", self.bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_with_its_network_and_that_with_its_site() {
        let shown = |text: &str| {
            let address: IpAddr = text.parse().expect("an address");
            (Network::of(address).to_string(), Network::site_of(address).map(|site| site.to_string()))
        };
        assert_eq!(shown("203.0.113.9"), ("203.0.113.9".into(), None));
        assert_eq!(shown("::ffff:203.0.113.9"), ("203.0.113.9".into(), None));
        let site = Some("2001:db8:1::/48".to_owned());
        assert_eq!(shown("2001:db8:1:2:3:4:5:6"), ("2001:db8:1:2::/64".into(), site.clone()));
        assert_eq!(shown("2001:db8:1::6"), ("2001:db8:1::/64".into(), site));
        let first: IpAddr = "2001:db8:1::6".parse().expect("an address");
        assert_ne!(Some(Network::of(first)), Network::site_of(first), "the first network of a site is not the site");
    }
}
