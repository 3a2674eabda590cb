//! How a message is matched to its transaction (RFC 3261 sections 8.2.2.2 and 17.2.3).
//!
//! A key is a hash with a secret: nobody can make two of them equal, and by chance one request in 10^14 would be taken for
//! another one while 131,072 are remembered.

use super::random::Random;
use crate::wire::sip::{COOKIE, Method, Request, encode_uri};

/// The key of a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TransactionKey(u64);

/// What a request and its copies over other paths have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MergeKey(u64);

impl TransactionKey {
    /// The first of all keys in their order.
    pub(super) const FIRST: Self = Self(0);

    /// The key of the transaction that the request begins or belongs to; an ACK belongs to its INVITE's.
    pub(super) fn of(random: &Random, request: &Request) -> Self {
        let method = match &request.method {
            Method::Ack => &Method::Invite,
            other => other,
        };
        Self::with_method(random, request, method)
    }

    /// The key of the INVITE that a CANCEL is for (section 9.2).
    pub(super) fn cancelled_by(random: &Random, cancel: &Request) -> Self {
        Self::with_method(random, cancel, &Method::Invite)
    }

    fn with_method(random: &Random, request: &Request, method: &Method) -> Self {
        let head = &request.head;
        if let Some(branch) = head.via.branch().filter(|branch| branch.starts_with(COOKIE)) {
            let sent_by = head.via.sent_by.to_string().to_ascii_lowercase();
            return Self(random.hash(&["3261", branch, &sent_by, method.as_str()]));
        }
        // RFC 2543 senders: all that an ACK or CANCEL has in common with its INVITE.
        let (uri, seq) = (encode_uri(&request.uri), head.cseq.seq.to_string());
        let via = head.echo.vias.first().map_or("", String::as_str);
        let from_tag = head.from.tag().unwrap_or_default();
        Self(random.hash(&["2543", &uri, from_tag, head.call_id(), &seq, via, method.as_str()]))
    }
}

impl MergeKey {
    /// The key of a request outside a dialog; one within a dialog is never merged.
    pub(super) fn of(random: &Random, request: &Request) -> Self {
        let head = &request.head;
        let seq = head.cseq.seq.to_string();
        let from_tag = head.from.tag().unwrap_or_default();
        Self(random.hash(&["merge", from_tag, head.call_id(), &seq, head.cseq.method.as_str()]))
    }
}
