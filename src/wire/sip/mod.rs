//! SIP messages (RFC 3261 sections 7, 18.3, 20 and 25): a bounded decoder, an encoder that can't be made to inject a
//! header, and a framer for streams.
//!
//! rsip gives the model of URIs and parameters; its own parser never sees a byte from the network. What the decoder
//! takes more liberally than the grammar is said where it does so; everything else that is not SIP is a [`Reject`].

mod decode;
mod digest;
mod encode;
mod framer;
mod head;
mod message;
mod method;
mod scan;
mod uri;
mod via;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod torture_tests;

pub use decode::{Echo, Framing, HEADERS_BYTES_MAX, HEADERS_MAX, MESSAGE_BYTES_MAX, Reject, VIAS_MAX, decode};
pub use digest::{Algorithm, Authorization, challenge as digest_challenge};
pub use encode::{Encoder, reason_phrase};
pub use framer::{Frame, Framer};
pub use head::Name;
pub use message::{Body, CSeq, Head, Message, Request, Response};
pub use method::Method;
pub use rsip::{Host, HostWithPort, Param, Scheme, Uri};
#[cfg(test)]
pub(crate) use torture_tests::folder as torture_folder;
pub use uri::{NameAddr, encode_uri, host_ip, is_loose_router, read_uri, sip_user, unescape, uri_transport};
pub use via::{COOKIE, Via};

/// What is wrong with a message or one of its values, and the status code that tells its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed SIP: {why}")]
pub struct Bad {
    /// 400, 505 or 513.
    pub code: u16,
    /// What is wrong, without anything of the message.
    pub why: &'static str,
}

impl Bad {
    /// A syntax error: 400.
    pub(crate) const fn syntax(why: &'static str) -> Self {
        Self { code: 400, why }
    }
}
