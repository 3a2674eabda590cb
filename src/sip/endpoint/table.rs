//! The tables of transactions and dialogs: putting in, taking out, wake-ups.

use std::collections::HashMap;
use std::hash::Hash;

use super::{
    Connect, Dialog, DialogKey, EndReason, Endpoint, Flow, MergeKey, Mono, Request, Target, TransactionKey, Transmit,
    reply_flow,
};
use crate::sip::dialog::{Overdue, Pending, Phase, tag_of};
use crate::sip::response::{self, Refusal};
use crate::sip::transaction::{InviteServer, NonInviteClient, NonInviteServer, Output, Packet};
use crate::wire::sip::Method;

/// Bytes of responses that all server transactions may keep together, so that long ones can't fill the memory; over it a
/// new INVITE gets 503, and all else is answered without being remembered.
pub(super) const RESPONSES_BYTES_MAX: usize = 64 << 20;
/// The longest response that is remembered; a longer one is given again only where the request is the same to us when it
/// comes again, so that a few calls which ask for long ones can't take what all have together.
pub(super) const RESPONSE_KEPT_BYTES_MAX: usize = 4096;

/// A server transaction and the way back.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) machine: Machine,
    pub(super) reply: Flow,
    merge: Option<MergeKey>,
    /// The dialog whose request this is, and the tag of whose response a CANCEL's has (RFC 3261 section 9.2).
    pub(super) dialog: Option<DialogKey>,
    /// Bytes of the response that it keeps.
    kept: usize,
    armed: Option<Mono>,
}

/// The two kinds of server transaction.
#[derive(Debug)]
pub(super) enum Machine {
    Invite(InviteServer),
    Other(NonInviteServer),
}

impl Machine {
    fn deadline(&self) -> Option<Mono> {
        match self {
            Machine::Invite(machine) => machine.deadline(),
            Machine::Other(machine) => machine.deadline(),
        }
    }

    fn is_terminated(&self) -> bool {
        match self {
            Machine::Invite(machine) => machine.is_terminated(),
            Machine::Other(machine) => machine.is_terminated(),
        }
    }
}

/// A request of ours.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) machine: NonInviteClient,
    pub(super) purpose: Purpose,
    flow: Flow,
    armed: Option<Mono>,
}

/// What a request of ours is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It ends a call; `again` is where a connection may be opened for it when its own is closed before the answer.
    Bye { again: Option<Connect> },
    /// It asks whether somebody is there; `is_over` once that is known.
    Probe { sent: Mono, is_over: bool },
}

impl Purpose {
    /// The request's method.
    pub(super) fn method(&self) -> Method {
        match self {
            Purpose::Bye { .. } => Method::Bye,
            Purpose::Probe { .. } => Method::Options,
        }
    }
}

impl Target {
    /// The first of all targets in their order.
    pub(super) const FIRST: Target = Target::Server(TransactionKey::FIRST);
}

impl Endpoint {
    /// Whether one more server transaction may be remembered.
    pub(super) fn has_room(&self) -> bool {
        self.servers.len() < self.config.transactions_max && self.kept_bytes < RESPONSES_BYTES_MAX
    }

    fn remembers(&self, response: &[u8]) -> bool {
        self.has_room() && response.len() <= RESPONSE_KEPT_BYTES_MAX
    }

    /// Remembers the transaction that the request begins; the caller has looked for room.
    pub(super) fn open_server(
        &mut self,
        now: Mono,
        flow: Flow,
        key: TransactionKey,
        merge: Option<MergeKey>,
        request: &Request,
        dialog: Option<DialogKey>,
    ) {
        let reliable = flow.transport.is_reliable();
        let machine = if request.method == Method::Invite {
            Machine::Invite(InviteServer::new(now, reliable))
        } else {
            Machine::Other(NonInviteServer::new(reliable))
        };
        let reply = reply_flow(flow, &request.head.via);
        self.servers.insert(key, Box::new(Server { machine, reply, merge, dialog, kept: 0, armed: None }));
        if let Some(merge) = merge {
            self.merges.entry(merge).or_insert(key);
        }
        self.settle_server(key);
    }

    /// Arms the transaction's next wake-up, or forgets it where it has ended.
    pub(super) fn settle_server(&mut self, key: TransactionKey) {
        let Some(server) = self.servers.get_mut(&key) else { return };
        self.timers.arm(Target::Server(key), &mut server.armed, server.machine.deadline());
        if !server.machine.is_terminated() {
            return;
        }
        let merge = server.merge.filter(|merge| self.merges.get(merge) == Some(&key));
        if let Some(merge) = merge {
            self.merges.remove(&merge);
            give_back(&mut self.merges);
        }
        self.kept_bytes -= server.kept;
        self.servers.remove(&key);
        give_back(&mut self.servers);
    }

    /// Gives the transaction its final response; where it was not remembered, the response is just sent.
    pub(super) fn respond(&mut self, now: Mono, key: TransactionKey, code: u16, response: Packet, reply: Flow) {
        let Some(server) = self.servers.get_mut(&key) else {
            return self.send(reply, response);
        };
        let (reply, length) = (server.reply, response.len());
        let output = match &mut server.machine {
            Machine::Invite(machine) if code < 300 => {
                machine.accept(now);
                Output::Send(response)
            }
            Machine::Invite(machine) => machine.refuse(now, response),
            Machine::Other(machine) => machine.respond(now, response),
        };
        // A 2xx to an INVITE is kept by its dialog, of which there are few.
        let keeps = code >= 300 || matches!(server.machine, Machine::Other(_));
        if keeps && matches!(output, Output::Send(_)) {
            server.kept = length;
            self.kept_bytes += length;
        }
        self.carry_out(key, reply, output);
        self.settle_server(key);
    }

    /// Gives a request that is no INVITE its 200, in a transaction where there is room for one.
    pub(super) fn give(
        &mut self,
        now: Mono,
        flow: Flow,
        key: TransactionKey,
        merge: Option<MergeKey>,
        request: &Request,
        response: Vec<u8>,
    ) {
        if self.remembers(&response) {
            self.open_server(now, flow, key, merge, request, None);
        }
        self.respond(now, key, 200, response.into(), reply_flow(flow, &request.head.via));
    }

    /// Refuses a request, in a transaction where there is room for one.
    pub(super) fn refuse(
        &mut self,
        now: Mono,
        flow: Flow,
        key: TransactionKey,
        merge: Option<MergeKey>,
        request: &Request,
        refusal: &Refusal,
    ) {
        let (response, reply) = self.refusal(flow, request, refusal);
        if self.remembers(&response) {
            self.open_server(now, flow, key, merge, request, None);
        }
        self.respond(now, key, refusal.code, response, reply);
    }

    /// Refuses what belongs to no call; a stranger's is not remembered, so that strangers can't fill the table.
    pub(super) fn refuse_stray(
        &mut self,
        now: Mono,
        flow: Flow,
        key: TransactionKey,
        request: &Request,
        refusal: &Refusal,
    ) {
        if self.guard.trusts(flow.peer.ip()) {
            self.refuse(now, flow, key, None, request, refusal);
        } else {
            self.refuse_statelessly(flow, request, refusal);
        }
    }

    /// Refuses a request without remembering it: the same request again gets the same answer (RFC 3261 section 8.2.7).
    pub(super) fn refuse_statelessly(&mut self, flow: Flow, request: &Request, refusal: &Refusal) {
        let (response, reply) = self.refusal(flow, request, refusal);
        self.send(reply, response);
    }

    fn refusal(&self, flow: Flow, request: &Request, refusal: &Refusal) -> (Packet, Flow) {
        let echo = &request.head.echo;
        let tag = request.head.to.tag().is_none().then(|| self.stateless_tag(echo));
        let bytes = response::refusal(refusal, echo, tag.as_deref(), &self.config.server_name);
        (bytes.into(), reply_flow(flow, &request.head.via))
    }

    /// The request has come again.
    pub(super) fn handle_retransmission(&mut self, now: Mono, key: TransactionKey) {
        let Some(server) = self.servers.get_mut(&key) else { return };
        let reply = server.reply;
        let output = match &mut server.machine {
            Machine::Invite(machine) => machine.handle_retransmission(),
            Machine::Other(machine) => machine.handle_retransmission(),
        };
        tracing::trace!(?now, ?output, "retransmission");
        self.carry_out(key, reply, output);
        self.settle_server(key);
    }

    pub(super) fn server_timeout(&mut self, now: Mono, key: TransactionKey) {
        let Some(server) = self.servers.get_mut(&key) else { return };
        server.armed = None;
        let reply = server.reply;
        let output = match &mut server.machine {
            Machine::Invite(machine) => machine.handle_timeout(now),
            Machine::Other(machine) => {
                machine.handle_timeout(now);
                Output::Nothing
            }
        };
        self.carry_out(key, reply, output);
        self.settle_server(key);
    }

    fn carry_out(&mut self, key: TransactionKey, reply: Flow, output: Output) {
        match output {
            Output::Nothing => {}
            Output::Send(packet) => self.send(reply, packet),
            Output::SendTrying => {
                let dialog = self.servers.get(&key).and_then(|server| server.dialog);
                let pending = dialog.and_then(|dialog| self.dialogs.get(&dialog)?.pending.as_ref());
                if let Some(pending) = pending {
                    let trying = trying(pending, &self.config.server_name);
                    self.send(reply, trying.into());
                }
            }
        }
    }

    /// Queues a message.
    pub(super) fn send(&mut self, flow: Flow, bytes: Packet) {
        self.transmits.push_back(Transmit { flow, bytes });
    }

    pub(super) fn client_timeout(&mut self, now: Mono, branch: u64) {
        let Some(client) = self.clients.get_mut(&branch) else { return };
        client.armed = None;
        let (flow, output) = (client.flow, client.machine.handle_timeout(now));
        if let Output::Send(packet) = output {
            self.send(flow, packet);
        }
        self.settle_client(branch);
    }

    /// Arms the transaction's next wake-up, or forgets it where it has ended.
    pub(super) fn settle_client(&mut self, branch: u64) {
        let Some(client) = self.clients.get_mut(&branch) else { return };
        self.timers.arm(Target::Client(branch), &mut client.armed, client.machine.deadline());
        if client.machine.is_terminated() {
            self.forget_client(branch);
        }
    }

    pub(super) fn forget_client(&mut self, branch: u64) {
        let Some(mut client) = self.clients.remove(&branch) else { return };
        self.timers.arm(Target::Client(branch), &mut client.armed, None);
        if let Some(connection) = client.flow.transport.connection() {
            self.connections.remove(&(connection, Target::Client(branch)));
            self.let_go(connection);
        }
        give_back(&mut self.clients);
        self.probe_forgotten(branch, &client.purpose);
    }

    /// Remembers a request of ours that is being sent; `false` where there is no room.
    pub(super) fn open_client(&mut self, now: Mono, branch: u64, flow: Flow, packet: Packet, purpose: Purpose) -> bool {
        if self.clients.len() + self.waiting_byes() >= self.config.transactions_max {
            return false;
        }
        let machine = NonInviteClient::new(now, flow.transport.is_reliable(), packet);
        self.clients.insert(branch, Client { machine, purpose, flow, armed: None });
        if let Some(connection) = flow.transport.connection() {
            self.connections.insert((connection, Target::Client(branch)));
        }
        self.settle_client(branch);
        true
    }

    /// Sends the BYE of a dialog that is in the table no more.
    pub(super) fn send_bye(&mut self, now: Mono, mut dialog: Dialog) {
        let branch = self.random.number();
        let host = self.own_host(&dialog.flow);
        let (bytes, flow) = dialog.bye(branch, &host, &self.config.server_name);
        self.send_bye_on(now, branch, flow, bytes.into(), dialog.reconnect());
    }

    pub(super) fn send_bye_on(&mut self, now: Mono, branch: u64, flow: Flow, bye: Packet, again: Option<Connect>) {
        // Without room it is sent all the same, once.
        self.open_client(now, branch, flow, bye.clone(), Purpose::Bye { again });
        self.send(flow, bye);
    }

    /// Puts a dialog into the table.
    pub(super) fn open_dialog(&mut self, key: DialogKey, dialog: Dialog) {
        if let Some(connection) = dialog.flow.transport.connection() {
            self.connections.insert((connection, Target::Dialog(key)));
        }
        self.dialogs.insert(key, dialog);
    }

    /// Notes the way that a request of the dialog has come.
    pub(super) fn move_dialog(&mut self, key: DialogKey, flow: Flow) {
        let Some(dialog) = self.dialogs.get_mut(&key) else { return };
        let old = std::mem::replace(&mut dialog.flow, flow);
        if old.transport == flow.transport {
            return;
        }
        if let Some(connection) = old.transport.connection() {
            self.connections.remove(&(connection, Target::Dialog(key)));
        }
        if let Some(connection) = flow.transport.connection() {
            self.connections.insert((connection, Target::Dialog(key)));
        }
        self.note_proven(flow);
    }

    /// Takes a dialog out of the table; a request that still waits gets a final response (RFC 3261 section 15.1.2).
    pub(super) fn close_dialog(&mut self, now: Mono, key: DialogKey, refusal: &Refusal) -> Option<Dialog> {
        let mut dialog = self.dialogs.remove(&key)?;
        give_back(&mut self.dialogs);
        self.timers.arm(Target::Dialog(key), &mut dialog.armed, None);
        if let Some(connection) = dialog.flow.transport.connection() {
            self.connections.remove(&(connection, Target::Dialog(key)));
        }
        if let Some(pending) = dialog.pending.take() {
            let tag = (dialog.phase == Phase::Offered).then(|| tag_of(key));
            let bytes = response::refusal(refusal, &pending.echo, tag.as_deref(), &self.config.server_name);
            self.respond(now, pending.transaction, refusal.code, bytes.into(), dialog.flow);
        }
        Some(dialog)
    }

    /// Arms the dialog's next wake-up.
    pub(super) fn settle_dialog(&mut self, key: DialogKey) {
        let Some(dialog) = self.dialogs.get_mut(&key) else { return };
        let deadline = dialog.unacked.as_ref().map(|unacked| unacked.deadline());
        self.timers.arm(Target::Dialog(key), &mut dialog.armed, deadline);
    }

    /// A 2xx has waited for its ACK: again, or (after 64*T1) BYE (RFC 3261 section 13.3.1.4).
    pub(super) fn dialog_timeout(&mut self, now: Mono, key: DialogKey) {
        let Some(dialog) = self.dialogs.get_mut(&key) else { return };
        dialog.armed = None;
        let Some(unacked) = &mut dialog.unacked else { return };
        match unacked.handle_timeout(now) {
            Overdue::Nothing => {}
            Overdue::Resend => {
                let (reply, response) = (unacked.reply, unacked.response.clone());
                self.send(reply, response);
            }
            Overdue::GiveUp => {
                let why = if dialog.hang_up { EndReason::HungUp } else { EndReason::NoAck };
                return self.end_with_bye(now, key, why);
            }
        }
        self.settle_dialog(key);
    }

    /// Ends the call from our side.
    pub(super) fn end_with_bye(&mut self, now: Mono, key: DialogKey, why: EndReason) {
        let Some(dialog) = self.close_dialog(now, key, &Refusal::plain(487)) else { return };
        if dialog.is_flow_closed {
            let is_sent = self.bye_by_another(now, dialog);
            return self.push_ended(key, if is_sent { why } else { EndReason::TransportGone });
        }
        self.push_ended(key, why);
        self.send_bye(now, dialog);
    }

    /// The dialog's connection is closed: over, unless it is up and its caller may come back.
    pub(super) fn dialog_flow_closed(&mut self, now: Mono, key: DialogKey) {
        let Some(dialog) = self.dialogs.get_mut(&key) else { return };
        if dialog.phase == Phase::Confirmed {
            dialog.unacked = None;
            dialog.is_flow_closed = true;
            return self.settle_dialog(key);
        }
        if self.close_dialog(now, key, &Refusal::plain(487)).is_some() {
            self.push_ended(key, EndReason::TransportGone);
        }
    }
}

/// A 100 has no tag of ours, and repeats Timestamp (RFC 3261 section 8.2.6).
fn trying(pending: &Pending, server_name: &str) -> Vec<u8> {
    let mut trying = response::begin(100, &pending.echo, None, server_name);
    if let Some(timestamp) = &pending.timestamp {
        trying.header("Timestamp", timestamp);
    }
    trying.finish()
}

/// Gives memory back after a burst, each time that a table has become half as long; a short one stays as it is.
fn give_back<K: Eq + Hash, V>(table: &mut HashMap<K, V>) {
    const LENGTH_KEPT: usize = 256;
    // The table's own capacity can't be gone by: it leaves out what was removed.
    if table.is_empty() || table.len() >= LENGTH_KEPT && table.len().is_power_of_two() {
        table.shrink_to((table.len() * 2).max(LENGTH_KEPT));
    }
}
