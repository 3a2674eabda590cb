//! Addresses and prefixes that are trusted.

use std::net::IpAddr;
use std::str::FromStr;

/// An address, or a prefix such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    address: IpAddr,
    bits: u8,
}

impl Prefix {
    /// Whether the address is within the prefix; an IPv4-mapped IPv6 address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(a)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                u32::from(net) & mask == u32::from(a) & mask
            }
            (IpAddr::V6(net), IpAddr::V6(a)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                u128::from(net) & mask == u128::from(a) & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Prefix {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}`: expected an address or a prefix, such as 10.0.0.0/8");
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| expected())?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(bits_max), |b| b.parse().map_err(|_| expected()))?;
        if bits > bits_max {
            return Err(expected());
        }
        Ok(Self { address, bits })
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_contain_what_they_say() {
        let prefix: Prefix = "10.1.0.0/16".parse().expect("a prefix");
        assert!(prefix.contains(IpAddr::from([10, 1, 255, 1])) && !prefix.contains(IpAddr::from([10, 2, 0, 1])));
        assert!(prefix.contains("::ffff:10.1.2.3".parse().expect("an address")));
        let all: Prefix = "0.0.0.0/0".parse().expect("a prefix");
        assert!(all.contains(IpAddr::from([1, 2, 3, 4])) && !all.contains("::1".parse().expect("an address")));
        assert!("10.0.0.0/33".parse::<Prefix>().is_err() && "ten".parse::<Prefix>().is_err());
    }
}
