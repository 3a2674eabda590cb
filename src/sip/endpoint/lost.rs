//! A BYE of a call whose connection is gone: another one is opened for it (RFC 3261 sections 12.2.1.1 and 18.1.1).
//!
//! Only calls that were let in and were up get here, and only the address that called is connected to. The BYEs of calls
//! that lead to one address share a connection, which is closed after the last answer.

use super::{Connect, ConnectionId, Dialog, Endpoint, Flow, Mono};
use crate::sip::timer::Target;
use crate::sip::transaction::Packet;

/// Connections for BYEs that are being opened or are open; a call that would need one more ends without a BYE.
pub(super) const LINES_MAX: usize = 64;

/// A connection of ours.
#[derive(Debug)]
pub(super) enum Line {
    /// It is being opened; these BYEs wait for it, each with its branch.
    Opening(Vec<(u64, Packet)>),
    /// It is open.
    Open(Flow),
}

impl Line {
    /// Whether it is that connection.
    pub(super) fn is_on(&self, connection: ConnectionId) -> bool {
        matches!(self, Line::Open(flow) if flow.transport.connection() == Some(connection))
    }

    fn waiting(&self) -> usize {
        match self {
            Line::Opening(waiting) => waiting.len(),
            Line::Open(_) => 0,
        }
    }
}

impl Endpoint {
    /// The next connection that is to be opened; [`Self::handle_connected`] is to be called once for each.
    pub fn poll_connect(&mut self) -> Option<Connect> {
        self.connects.pop_front()
    }

    /// The next connection of ours that nothing needs any more: it is to be closed once all is sent.
    pub fn poll_unused(&mut self) -> Option<ConnectionId> {
        self.unused.pop_front()
    }

    /// What came of [`Self::poll_connect`]: the way along the connection, or `None` where there is none, and the BYEs
    /// that wait for it are given up.
    pub fn handle_connected(&mut self, now: Mono, connect: Connect, flow: Option<Flow>) {
        let Some(Line::Opening(waiting)) = self.lines.remove(&connect) else { return };
        let Some(flow) = flow else {
            tracing::info!(peer = %connect.to, byes = waiting.len(), "no connection for a BYE: its caller is not told");
            return;
        };
        self.lines.insert(connect, Line::Open(flow));
        for (branch, bye) in waiting {
            self.send_bye_on(now, branch, flow, bye);
        }
        if let Some(connection) = flow.transport.connection() {
            self.let_go(connection);
        }
    }

    /// Sends the BYE of a call whose connection is gone as soon as there is another; `false` where there will be none.
    pub(super) fn bye_by_another(&mut self, now: Mono, mut dialog: Dialog) -> bool {
        let Some(connect) = dialog.reconnect() else { return false };
        let is_new = !self.lines.contains_key(&connect);
        let is_full = self.clients.len() + self.waiting_byes() >= self.config.transactions_max;
        if is_full || is_new && self.lines.len() >= LINES_MAX {
            return false;
        }
        let branch = self.random.number();
        let host = self.own_host(&dialog.flow);
        let (bytes, _) = dialog.bye(branch, &host, &self.config.server_name);
        let bye = Packet::from(bytes);
        match self.lines.entry(connect).or_insert_with(|| Line::Opening(Vec::new())) {
            Line::Opening(waiting) => waiting.push((branch, bye)),
            Line::Open(flow) => {
                let flow = *flow;
                self.send_bye_on(now, branch, flow, bye);
            }
        }
        if is_new {
            self.connects.push_back(connect);
        }
        true
    }

    /// BYEs that wait for a connection.
    pub(super) fn waiting_byes(&self) -> usize {
        self.lines.values().map(Line::waiting).sum()
    }

    /// Something is done that was on that connection: where nothing else is and it is ours, it is closed.
    pub(super) fn let_go(&mut self, connection: ConnectionId) {
        let mut users = self.connections.range((connection, Target::FIRST)..);
        if users.next().is_some_and(|(other, _)| *other == connection) {
            return;
        }
        let connect = self.lines.iter().find(|(_, line)| line.is_on(connection)).map(|(connect, _)| *connect);
        if connect.and_then(|connect| self.lines.remove(&connect)).is_some() {
            self.unused.push_back(connection);
        }
    }
}
