//! Values that are written as text: what is listened on, addresses, ports, prefixes.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Transport;
use crate::access::NumberPattern;
use crate::model::{Language, Prefix};

macro_rules! by_text {
    ($name:ty) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

by_text!(NumberPattern);

/// One thing to listen on, `udp:0.0.0.0:5060`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// UDP, TCP or TLS.
    pub transport: Transport,
    /// Address and port.
    pub address: SocketAddr,
}
by_text!(Listen);
by_text!(Language);

impl FromStr for Listen {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}`: expected udp:ADDRESS:PORT, tcp:… or tls:…, such as udp:0.0.0.0:5060");
        let (transport, address) = text.split_once(':').ok_or_else(expected)?;
        let transport = match transport {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            "tls" => Transport::Tls,
            _ => return Err(expected()),
        };
        Ok(Self { transport, address: address.parse().map_err(|_| expected())? })
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let transport = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        };
        write!(f, "{transport}:{}", self.address)
    }
}

/// The address that the SDP names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaAddress {
    /// The local address that the call came to.
    Auto,
    /// This one.
    Fixed(IpAddr),
}
by_text!(MediaAddress);

impl FromStr for MediaAddress {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text.parse().map(Self::Fixed).map_err(|_| format!("`{text}`: expected auto or an IP address")),
        }
    }
}

impl std::fmt::Display for MediaAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed(address) => address.fmt(f),
        }
    }
}

/// The UDP ports for media, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}
by_text!(PortRange);
by_text!(Prefix);

impl FromStr for PortRange {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let range = text.split_once('-').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
        match range {
            Some((first, last)) if first >= 1024 && last > first => Ok(Self { first, last }),
            _ => Err(format!("`{text}`: expected FIRST-LAST with FIRST at least 1024, such as 10000-19999")),
        }
    }
}

impl std::fmt::Display for PortRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}
