//! The Via header field (RFC 3261 section 20.42, RFC 3581).

use std::net::SocketAddr;

use rsip::{HostWithPort, Param};

use super::Bad;
use super::scan::{is_blank, is_token_byte, params, run, skip_blanks};
use super::uri::{encode_host_port, encode_param, host_ip, parse_host_port};

/// What every branch of RFC 3261 begins with (section 8.1.1.7).
pub const COOKIE: &str = "z9hG4bK";

/// One Via: the way back for a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The transport's name, such as `UDP`; may be one that nobody knows.
    pub transport: String,
    /// Who sent the message, in its own words.
    pub sent_by: HostWithPort,
    /// The parameters.
    pub params: Vec<Param>,
}

impl Via {
    /// The `branch` parameter; `None` from an RFC 2543 sender.
    pub fn branch(&self) -> Option<&str> {
        self.params.iter().find_map(|param| match param {
            Param::Branch(branch) => Some(branch.value()),
            _ => None,
        })
    }

    /// Whether the sender asks for the response at the port that it sent from (RFC 3581).
    pub fn wants_rport(&self) -> bool {
        self.params.iter().any(is_rport)
    }

    /// The Via that goes into the response: with `received` where the address that it says is not the one it came
    /// from (RFC 3261 section 18.2.1), with `rport` filled in where it was asked for (RFC 3581 section 4).
    pub fn stamped(&self, source: SocketAddr) -> String {
        let rport = self.wants_rport();
        let mut text = format!("SIP/2.0/{} ", self.transport);
        encode_host_port(&self.sent_by, &mut text);
        for param in &self.params {
            match param {
                Param::Received(_) => {}
                param if is_rport(param) => text.push_str(&format!(";rport={}", source.port())),
                param => encode_param(param, &mut text),
            }
        }
        if rport || host_ip(&self.sent_by.host) != Some(source.ip().to_canonical()) {
            text.push_str(&format!(";received={}", source.ip().to_canonical()));
        }
        text
    }

    /// Where a response goes over an unreliable transport: the source address, at the source port with `rport`, else at
    /// the port that Via says, else 5060 (RFC 3261 section 18.2.2; `maddr` is not followed).
    pub fn response_address(&self, source: SocketAddr) -> SocketAddr {
        if self.wants_rport() {
            return source;
        }
        SocketAddr::new(source.ip(), self.sent_by.port.map_or(5060, |port| *port.value()))
    }

    /// Reads one Via, blanks around slashes, colon and semicolons included.
    pub(crate) fn parse(text: &str) -> Result<Self, Bad> {
        let bad = Bad::syntax("bad Via");
        let slash = |text| skip_blanks(text).strip_prefix('/').map(skip_blanks).ok_or(bad);
        let (name, rest) = run(text, is_token_byte);
        let (version, rest) = run(slash(rest)?, is_token_byte);
        let (transport, rest) = run(slash(rest)?, is_token_byte);
        if !name.eq_ignore_ascii_case("SIP")
            || version != "2.0"
            || transport.is_empty()
            || !rest.starts_with([' ', '\t'])
        {
            return Err(bad);
        }
        let rest = skip_blanks(rest);
        let at = rest.find(';').unwrap_or(rest.len());
        let (sent_by, rest) = rest.split_at_checked(at).ok_or(bad)?;
        let sent_by: String = sent_by.chars().filter(|c| !u8::try_from(*c).is_ok_and(is_blank)).collect();
        Ok(Self { transport: transport.to_owned(), sent_by: parse_host_port(&sent_by)?, params: params(rest)? })
    }
}

fn is_rport(param: &Param) -> bool {
    matches!(param, Param::Other(name, _) if name.value().eq_ignore_ascii_case("rport"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3581_4_the_source_is_stamped_and_the_response_goes_there() {
        let source: SocketAddr = "192.0.2.9:4444".parse().expect("an address");
        let rows = [
            ("SIP/2.0/UDP 192.0.2.9", "SIP/2.0/UDP 192.0.2.9", "192.0.2.9:5060"),
            ("SIP/2.0/UDP 192.0.2.9:5070;branch=a", "SIP/2.0/UDP 192.0.2.9:5070;branch=a", "192.0.2.9:5070"),
            ("SIP/2.0/UDP 10.0.0.1:5070", "SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.9", "192.0.2.9:5070"),
            ("SIP/2.0/UDP pc;rport", "SIP/2.0/UDP pc;rport=4444;received=192.0.2.9", "192.0.2.9:4444"),
            ("SIP/2.0/UDP pc;received=1.1.1.1", "SIP/2.0/UDP pc;received=192.0.2.9", "192.0.2.9:5060"),
            ("SIP / 2.0 / XX [2001:db8::1] : 5 ; a", "SIP/2.0/XX [2001:db8::1]:5;a;received=192.0.2.9", "192.0.2.9:5"),
        ];
        for (text, stamped, address) in rows {
            let via = Via::parse(text).expect(text);
            assert_eq!(via.stamped(source), stamped, "{text}");
            assert_eq!(via.response_address(source), address.parse().expect("an address"), "{text}");
        }
    }
}
