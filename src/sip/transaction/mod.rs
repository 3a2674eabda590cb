//! The transactions as pure machines (RFC 3261 section 17, RFC 6026): time and inputs go in, what to send comes out.

mod invite_server;
mod non_invite_client;
mod non_invite_server;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use invite_server::InviteServer;
pub use non_invite_client::NonInviteClient;
pub use non_invite_server::NonInviteServer;

/// A message as it was sent, to be sent again.
pub type Packet = Arc<[u8]>;

/// What a transaction wants done.
#[derive(Clone, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    Nothing,
    /// Send this.
    Send(Packet),
    /// Send a 100 (Trying).
    SendTrying,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Output::Nothing => "Nothing",
            Output::Send(_) => "Send",
            Output::SendTrying => "SendTrying",
        })
    }
}
