//! A decoded message.

use std::fmt;
use std::ops::Deref;

use rsip::Uri;
use zeroize::Zeroize;

use super::decode::Echo;
use super::head::Name;
use super::scan::split_list;
use super::uri::NameAddr;
use super::via::Via;
use super::{Bad, Method};

/// A body: opaque bytes, wiped when dropped, and counted only by its `Debug`: in an INFO's there may be keys of a PIN.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body(pub Vec<u8>);

impl Deref for Body {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// A well-formed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A request (RFC 3261 section 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method; CSeq has the same one.
    pub method: Method,
    /// The Request-URI; never with headers.
    pub uri: Uri,
    /// The header fields.
    pub head: Head,
    /// As long as Content-Length says.
    pub body: Body,
}

/// A response (RFC 3261 section 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 100 to 699.
    pub code: u16,
    /// The header fields.
    pub head: Head,
    /// As long as Content-Length says.
    pub body: Body,
}

/// The sequence number and method of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// The number.
    pub seq: u32,
    /// The method.
    pub method: Method,
}

/// The header fields of a message: the five that each has, decoded, and the others that mean something here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What a response repeats, word for word.
    pub echo: Echo,
    /// The topmost Via.
    pub via: Via,
    /// From.
    pub from: NameAddr,
    /// To.
    pub to: NameAddr,
    /// CSeq.
    pub cseq: CSeq,
    /// The other fields of [`Name`], in their order, unfolded.
    pub fields: Vec<(Name, String)>,
}

impl Head {
    /// Call-ID.
    pub fn call_id(&self) -> &str {
        &self.echo.call_id
    }

    /// The values of all fields of that name, in order; a field with a list gives one value.
    pub fn values(&self, name: Name) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    /// The first value of that name.
    pub fn first(&self, name: Name) -> Option<&str> {
        self.values(name).next()
    }

    /// The elements of the lists of that name, over all its fields; an element that is empty is left out.
    ///
    /// # Errors
    /// A quoted string does not end.
    pub fn list(&self, name: Name) -> Result<Vec<&str>, Bad> {
        let mut all = Vec::new();
        for value in self.values(name) {
            all.extend(split_list(value)?.into_iter().filter(|part| !part.is_empty()));
        }
        Ok(all)
    }

    /// The addresses of that name (Contact, Record-Route, P-Asserted-Identity).
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn addresses(&self, name: Name) -> Result<Vec<NameAddr>, Bad> {
        self.list(name)?.into_iter().map(NameAddr::parse).collect()
    }
}
