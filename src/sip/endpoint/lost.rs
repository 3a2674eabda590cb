//! A BYE of a call whose connection is gone: another one is opened for it (RFC 3261 sections 12.2.1.1 and 18.1.1).
//!
//! Only calls that were let in and were up get here, and only the address that called is connected to. The BYEs of calls
//! that lead to one address share a connection, which is closed after the last answer.

use super::table::Purpose;
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
            self.send_bye_on(now, branch, flow, bye, None);
        }
        if let Some(connection) = flow.transport.connection() {
            self.let_go(connection);
        }
    }

    /// Sends the BYE of a call whose connection is gone as soon as there is another; `false` where there will be none.
    pub(super) fn bye_by_another(&mut self, now: Mono, mut dialog: Dialog) -> bool {
        let Some(connect) = dialog.reconnect().filter(|connect| self.has_line(connect)) else { return false };
        let branch = self.random.number();
        let host = self.own_host(&dialog.flow);
        let (bye, _) = dialog.bye(branch, &host, &self.config.server_name);
        self.bye_by(now, connect, branch, bye.into());
        true
    }

    /// The connection of a request of ours is closed: a BYE that has no answer yet is sent once more by another one, as a
    /// connection that has long been dead is often known by the first message that goes there.
    pub(super) fn client_flow_closed(&mut self, now: Mono, branch: u64) {
        let bye = self.clients.get(&branch).and_then(|client| match client.purpose {
            Purpose::Bye { again } => again.zip(client.machine.request().cloned()),
            Purpose::Probe { .. } => None,
        });
        self.forget_client(branch);
        if let Some((connect, bye)) = bye.filter(|(connect, _)| self.has_line(connect)) {
            self.bye_by(now, connect, branch, bye);
        }
    }

    /// Whether one more BYE may go by that connection.
    fn has_line(&self, connect: &Connect) -> bool {
        let is_there = self.lines.contains_key(connect) || self.lines.len() < LINES_MAX;
        is_there && self.clients.len() + self.waiting_byes() < self.config.transactions_max
    }

    fn bye_by(&mut self, now: Mono, connect: Connect, branch: u64, bye: Packet) {
        match self.lines.get_mut(&connect) {
            Some(Line::Opening(waiting)) => waiting.push((branch, bye)),
            Some(Line::Open(flow)) => {
                let flow = *flow;
                self.send_bye_on(now, branch, flow, bye, None);
            }
            None => {
                self.lines.insert(connect, Line::Opening(vec![(branch, bye)]));
                self.connects.push_back(connect);
            }
        }
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
