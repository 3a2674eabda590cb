//! OPTIONS of ours outside any call: whether somebody is there (RFC 3261 section 11).

use super::table::Purpose;
use super::{Destination, Endpoint, Event, Flow, Mono, ProbeId};
use crate::sip::content::SDP;
use crate::sip::transaction::Packet;
use crate::wire::sip::{COOKIE, Encoder, Method};

/// The user part of From.
const OUR_USER: &str = "switchhook";

impl Endpoint {
    /// Asks `to` by OPTIONS, along `flow`. [`Event::Probed`] follows, after 32 s at the latest.
    ///
    /// `None` where the table of client transactions is full: nothing was sent.
    pub fn probe(&mut self, now: Mono, flow: Flow, to: &Destination) -> Option<ProbeId> {
        let branch = self.random.number();
        let packet: Packet = self.options(branch, &flow, to.uri()).into();
        let is_open = self.open_client(now, branch, flow, packet.clone(), Purpose::Probe { sent: now, is_over: false });
        if is_open {
            self.send(flow, packet);
        }
        is_open.then_some(ProbeId(branch))
    }

    fn options(&mut self, branch: u64, flow: &Flow, uri: &str) -> Vec<u8> {
        let (host, tag, call) = (self.own_host(flow), self.random.number(), self.random.number());
        let (transport, parameter) = (flow.transport.via_name(), flow.transport.uri_parameter());
        let mut options = Encoder::request(&Method::Options, uri);
        options.header("Via", &format!("SIP/2.0/{transport} {host};branch={COOKIE}{branch:016x};rport"));
        options.header("Max-Forwards", "70");
        options.header("From", &format!("<sip:{OUR_USER}@{host}>;tag={tag:016x}"));
        options.header_parts("To", &["<", uri, ">"]);
        options.header("Call-ID", &format!("{call:016x}"));
        options.header("CSeq", "1 OPTIONS");
        options.header("Contact", &format!("<sip:{OUR_USER}@{host}{parameter}>"));
        options.header("Accept", SDP);
        options.header("User-Agent", &self.config.server_name);
        options.finish()
    }

    /// A final response has come: the first one is the answer.
    pub(super) fn probe_answered(&mut self, now: Mono, branch: u64, code: u16) {
        let Some(client) = self.clients.get_mut(&branch) else { return };
        if let Purpose::Probe { sent, is_over } = &mut client.purpose
            && !std::mem::replace(is_over, true)
        {
            let round_trip = now.since(*sent);
            self.events.push_back(Event::Probed { probe: ProbeId(branch), answer: Some(code), round_trip });
        }
    }

    /// Its transaction is forgotten: where no answer has come, none will.
    pub(super) fn probe_forgotten(&mut self, branch: u64, purpose: &Purpose) {
        if let Purpose::Probe { is_over: false, .. } = purpose {
            let round_trip = std::time::Duration::ZERO;
            self.events.push_back(Event::Probed { probe: ProbeId(branch), answer: None, round_trip });
        }
    }
}
