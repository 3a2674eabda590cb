//! Where a request of ours outside any call goes: a SIP URI, taken apart.

use std::net::IpAddr;

use crate::wire::sip::{Host, Scheme, Uri, encode_uri, host_ip, read_uri, uri_transport};

/// The port of a URI that names none (RFC 3261 section 19.1.2).
const SIP_PORT: u16 = 5060;

/// The host that a URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationHost {
    /// An address.
    Address(IpAddr),
    /// A name, which a resolver knows the address of.
    Name(String),
}

/// A `sip:` URI and where requests for it are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    uri: String,
    host: DestinationHost,
    port: u16,
    is_tcp: bool,
}

/// Why nothing can be sent to a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// It is no SIP URI.
    #[error("it is no SIP URI, such as sip:192.0.2.1:5060")]
    NotSip,
    /// It is for a transport that we have not.
    #[error("it is for a transport other than UDP and TCP")]
    Transport,
}

impl Destination {
    /// Takes a `sip:` URI with an address or a name, for UDP (where it says nothing else) or TCP.
    ///
    /// # Errors
    /// It is none, or it is for another transport.
    pub fn parse(uri: &str) -> Result<Self, DestinationError> {
        let uri = read_uri(uri).map_err(|_| DestinationError::NotSip)?;
        match uri.scheme {
            Some(Scheme::Sip) => {}
            Some(Scheme::Sips) => return Err(DestinationError::Transport),
            Some(Scheme::Other(_)) | None => return Err(DestinationError::NotSip),
        }
        let is_tcp = match uri_transport(&uri) {
            None | Some("udp") => false,
            Some("tcp") => true,
            Some(_) => return Err(DestinationError::Transport),
        };
        let port = uri.host_with_port.port.map_or(SIP_PORT, |port| *port.value());
        let host = host(&uri);
        if port == 0 {
            return Err(DestinationError::NotSip);
        }
        Ok(Self { uri: encode_uri(&uri), host, port, is_tcp })
    }

    /// The URI as it is sent.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The host.
    pub fn host(&self) -> &DestinationHost {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is for TCP; for UDP otherwise.
    pub fn is_tcp(&self) -> bool {
        self.is_tcp
    }
}

fn host(uri: &Uri) -> DestinationHost {
    match (host_ip(&uri.host_with_port.host), &uri.host_with_port.host) {
        (Some(address), _) => DestinationHost::Address(address),
        (None, Host::Domain(name)) => DestinationHost::Name(name.value().to_owned()),
        (None, Host::IpAddr(address)) => DestinationHost::Address(*address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_says_where_to_send() {
        let address = |text: &str| DestinationHost::Address(text.parse().expect("an address"));
        let name = |text: &str| DestinationHost::Name(text.to_owned());
        for (uri, host, port, is_tcp) in [
            ("sip:192.0.2.1", address("192.0.2.1"), 5060, false),
            ("sip:192.0.2.1:5080;transport=udp", address("192.0.2.1"), 5080, false),
            ("sip:trunk@[2001:db8::1]:5070", address("2001:db8::1"), 5070, false),
            ("sip:gw.example.com;transport=TCP", name("gw.example.com"), 5060, true),
            ("SIP:1000@pbx.example.com:5062;lr", name("pbx.example.com"), 5062, false),
        ] {
            let to = Destination::parse(uri).expect(uri);
            assert_eq!((to.host(), to.port(), to.is_tcp()), (&host, port, is_tcp), "{uri}");
        }
        for uri in ["sips:192.0.2.1", "sip:192.0.2.1;transport=tls"] {
            assert_eq!(Destination::parse(uri), Err(DestinationError::Transport), "{uri}");
        }
        for uri in ["", "192.0.2.1", "tel:123", "sip:", "sip:a b", "sip:192.0.2.1:0", "sip:a?Route=b", "sip:a>\r\nX: y"]
        {
            assert_eq!(Destination::parse(uri), Err(DestinationError::NotSip), "{uri}");
        }
    }
}
