//! Requests within a dialog (RFC 3261 sections 12.2.2, 13.3.1.4, 14.2 and 15.1.2; RFC 3311 section 5.2), and the ACK.

use super::table::Machine;
use super::{DialogKey, EndReason, Endpoint, Event, Flow, Mono, Request, TransactionKey};
use crate::sip::content::{self, malformed};
use crate::sip::dialog::{DIALOG_REQUESTS, Pending, Phase, Target, Unacked, key_of};
use crate::sip::response::{self, Refusal};
use crate::sip::{RETRY_AFTER_FULL_S, RETRY_AFTER_OVERLAP_S_MAX};
use crate::wire::sip::{Body, Method, Name};

impl Endpoint {
    /// A request with a To tag, whose method and scheme are ours.
    pub(super) fn handle_within(&mut self, now: Mono, flow: Flow, key: TransactionKey, mut request: Request) {
        let Some(dialog) = self.dialog_of(&request) else {
            return self.refuse_stray(now, flow, key, &request, &Refusal::plain(481));
        };
        let is_bye = request.method == Method::Bye;
        let is_its_own = self.is_its_own(dialog, flow);
        // Each is counted where it comes from: whoever has the tags must not use up what the call itself may ask.
        let is_over = if is_its_own {
            !(is_bye && self.ends(dialog, &request)) && self.is_over_its_rate(now, dialog)
        } else {
            !is_bye && !self.guard.admits(now, flow, &request)
        };
        if is_over {
            tracing::debug!(peer = %flow.peer, "over the limit of requests within a call");
            return;
        }
        if is_bye && !is_its_own {
            return self.handle_bye_from_elsewhere(now, flow, dialog, key, &request);
        }
        if let Err(challenge) = self.check_source(now, dialog, flow, is_its_own, &request) {
            return self.refuse_statelessly(flow, &request, &challenge);
        }
        if let Err(refusal) = self.take_sequence(dialog, flow, &request) {
            return self.refuse(now, flow, key, None, &request, &refusal);
        }
        let done = match request.method {
            Method::Bye => self.handle_bye(now, flow, dialog, key, &request),
            Method::Info => self.handle_info(now, flow, dialog, key, &mut request),
            Method::Invite => self.handle_reoffer(now, flow, dialog, key, &mut request),
            Method::Update => self.handle_update(now, flow, dialog, key, &mut request),
            _ => {
                self.handle_options(now, flow, key, None, &request);
                self.events.push_back(Event::Request { dialog });
                Ok(())
            }
        };
        if let Err(refusal) = done {
            self.refuse(now, flow, key, None, &request, &refusal);
        }
    }

    pub(super) fn dialog_of(&self, request: &Request) -> Option<DialogKey> {
        let key = request.head.to.tag().and_then(key_of)?;
        self.dialogs.get(&key)?.has(request).then_some(key)
    }

    /// Whether a request comes from where the call does, or from a trusted peer; and by TLS where the call came so: nobody
    /// else is to have read its tags.
    fn is_its_own(&self, key: DialogKey, flow: Flow) -> bool {
        let ip = |flow: &Flow| flow.peer.ip().to_canonical();
        self.dialogs.get(&key).is_some_and(|dialog| {
            let is_private_enough = flow.transport.is_secure() || !dialog.is_secure;
            is_private_enough && (ip(&dialog.flow) == ip(&flow) || self.guard.trusts(flow.peer.ip()))
        })
    }

    /// Whether a BYE is newer than what has come and requires nothing, so that it ends its call.
    fn ends(&self, key: DialogKey, bye: &Request) -> bool {
        let is_new = self.dialogs.get(&key).is_some_and(|dialog| bye.head.cseq.seq > dialog.remote_seq);
        is_new && content::check_require(&bye.head).is_ok()
    }

    /// Counts a request of a call; whether there have been too many.
    fn is_over_its_rate(&mut self, now: Mono, key: DialogKey) -> bool {
        self.dialogs.get_mut(&key).is_some_and(|dialog| !dialog.requests.take(now, DIALOG_REQUESTS, 1))
    }

    /// Whoever has read the tags of a call somewhere must not take it over: what comes from elsewhere shows the password
    /// that the call was made with, as a telephone can that has moved to another network. A call of a trusted peer was
    /// made with none.
    fn check_source(
        &mut self,
        now: Mono,
        key: DialogKey,
        flow: Flow,
        is_its_own: bool,
        request: &Request,
    ) -> Result<(), Refusal> {
        if is_its_own {
            return Ok(());
        }
        let account = self.dialogs.get(&key).and_then(|dialog| dialog.account.clone());
        if account.is_none() {
            return Err(Refusal::plain(403));
        }
        self.guard.check(now, flow.peer.ip(), request, &self.random)?;
        if self.guard.account(flow.peer.ip(), request) == account { Ok(()) } else { Err(Refusal::plain(403)) }
    }

    /// A BYE may come from elsewhere, as does that of a phone behind a proxy which does not stay on the way: it ends the call
    /// or leaves all as it was.
    fn handle_bye_from_elsewhere(
        &mut self,
        now: Mono,
        flow: Flow,
        dialog: DialogKey,
        key: TransactionKey,
        request: &Request,
    ) {
        let is_old = self.dialogs.get(&dialog).is_some_and(|state| request.head.cseq.seq <= state.remote_seq);
        let checked = if is_old { Err(Refusal::plain(500)) } else { content::check_require(&request.head) };
        if let Err(refusal) = checked.and_then(|()| self.handle_bye(now, flow, dialog, key, request))
            && self.guard.admits(now, flow, request)
        {
            self.refuse_statelessly(flow, request, &refusal);
        }
    }

    /// 500 for a request that is older than one we have seen (section 12.2.2), 420 for what it requires. Only for what was
    /// let in: from then on the call is where this came from.
    fn take_sequence(&mut self, key: DialogKey, flow: Flow, request: &Request) -> Result<(), Refusal> {
        let Some(dialog) = self.dialogs.get_mut(&key) else { return Err(Refusal::plain(481)) };
        if request.head.cseq.seq <= dialog.remote_seq {
            return Err(Refusal::plain(500));
        }
        dialog.remote_seq = request.head.cseq.seq;
        dialog.is_flow_closed = false;
        self.move_dialog(key, flow);
        content::check_require(&request.head)
    }

    /// A 200 without a body, remembered where there is room.
    fn accept_plainly(&mut self, now: Mono, flow: Flow, key: TransactionKey, request: &Request, contact: Option<&str>) {
        let mut ok = response::begin(200, &request.head.echo, None, &self.config.server_name);
        if let Some(contact) = contact {
            ok.header("Contact", contact);
        }
        self.give(now, flow, key, None, request, ok.finish());
    }

    fn handle_bye(
        &mut self,
        now: Mono,
        flow: Flow,
        dialog: DialogKey,
        key: TransactionKey,
        request: &Request,
    ) -> Result<(), Refusal> {
        self.accept_plainly(now, flow, key, request, None);
        if self.close_dialog(now, dialog, &Refusal::plain(487)).is_some() {
            self.push_ended(dialog, EndReason::Bye);
        }
        Ok(())
    }

    fn handle_info(
        &mut self,
        now: Mono,
        flow: Flow,
        dialog: DialogKey,
        key: TransactionKey,
        request: &mut Request,
    ) -> Result<(), Refusal> {
        let keys = content::take_keys(request)?;
        self.accept_plainly(now, flow, key, request, None);
        self.events.push_back(match keys {
            Some((content_type, body)) => Event::Info { dialog, content_type, body },
            None => Event::Request { dialog },
        });
        Ok(())
    }

    /// A re-INVITE: 500 while another request waits, 491 while an offer of ours is open.
    fn handle_reoffer(
        &mut self,
        now: Mono,
        flow: Flow,
        dialog: DialogKey,
        key: TransactionKey,
        request: &mut Request,
    ) -> Result<(), Refusal> {
        self.check_overlap(dialog)?;
        let offer = content::take_offer(request)?;
        let target = Target::of_contact(request).map_err(malformed)?;
        // Its sender has our 2xx, as it knows our tag: the ACK to that was lost or is late.
        self.acknowledge(now, dialog, None);
        self.open_reoffer(now, flow, dialog, key, request, target, offer)
    }

    /// An UPDATE: as a re-INVITE with an offer; without one it only moves the remote target.
    fn handle_update(
        &mut self,
        now: Mono,
        flow: Flow,
        dialog: DialogKey,
        key: TransactionKey,
        request: &mut Request,
    ) -> Result<(), Refusal> {
        self.check_overlap(dialog)?;
        let offer = content::take_offer(request)?;
        let target = Target::of_contact(request).map_err(malformed)?;
        if offer.is_some() {
            return self.open_reoffer(now, flow, dialog, key, request, target, offer);
        }
        let Some(state) = self.dialogs.get_mut(&dialog) else { return Err(Refusal::plain(481)) };
        if let Some(target) = target {
            state.target = target;
        }
        let contact = state.contact.clone();
        self.accept_plainly(now, flow, key, request, Some(&contact));
        self.events.push_back(Event::Request { dialog });
        Ok(())
    }

    fn check_overlap(&mut self, key: DialogKey) -> Result<(), Refusal> {
        let Some(dialog) = self.dialogs.get(&key) else { return Err(Refusal::plain(481)) };
        if dialog.pending.is_some() || dialog.hang_up {
            let seconds = self.random.up_to(RETRY_AFTER_OVERLAP_S_MAX);
            return Err(Refusal::with(500, "Retry-After", seconds.to_string()));
        }
        if dialog.has_our_offer_open() { Err(Refusal::plain(491)) } else { Ok(()) }
    }

    #[expect(clippy::too_many_arguments, reason = "one request, taken apart by its two callers")]
    fn open_reoffer(
        &mut self,
        now: Mono,
        flow: Flow,
        dialog: DialogKey,
        key: TransactionKey,
        request: &Request,
        target: Option<Target>,
        offer: Option<Body>,
    ) -> Result<(), Refusal> {
        if !self.has_room() {
            return Err(Refusal::with(503, "Retry-After", RETRY_AFTER_FULL_S.to_string()));
        }
        let Some(state) = self.dialogs.get_mut(&dialog) else { return Err(Refusal::plain(481)) };
        state.pending = Some(Pending {
            transaction: key,
            method: request.method.clone(),
            seq: request.head.cseq.seq,
            echo: request.head.echo.clone(),
            timestamp: request.head.first(Name::Timestamp).map(str::to_owned),
            has_offer: offer.is_some(),
            record_routes: vec![],
            target,
        });
        self.open_server(now, flow, key, None, request, Some(dialog));
        self.events.push_back(Event::Reoffered { dialog, offer });
        Ok(())
    }

    /// An ACK ends the transaction of a refusal, or stops the 2xx of its dialog; any other is dropped.
    pub(super) fn handle_ack(&mut self, now: Mono, flow: Flow, key: TransactionKey, mut request: Request) {
        if let Some(server) = self.servers.get_mut(&key) {
            let is_refusal = match &mut server.machine {
                Machine::Invite(machine) => machine.handle_ack(now),
                Machine::Other(_) => false,
            };
            if is_refusal {
                return self.settle_server(key);
            }
        }
        let Some(dialog) = self.dialog_of(&request) else { return };
        let Some(state) = self.dialogs.get(&dialog) else { return };
        if state.unacked.as_ref().is_none_or(|unacked| unacked.seq != request.head.cseq.seq) {
            return;
        }
        // Past a proxy that does not stay on the way the first one comes from elsewhere, and nobody but the caller knows
        // our tag yet. Later ones from elsewhere stop the 2xx, and that is all.
        let counts = state.phase != Phase::Confirmed || self.is_its_own(dialog, flow);
        let answer = content::take_answer(&mut request).filter(|_| counts);
        if counts {
            self.move_dialog(dialog, flow);
        }
        self.acknowledge(now, dialog, answer);
    }

    /// The 2xx that waited for its ACK waits no more.
    fn acknowledge(&mut self, now: Mono, dialog: DialogKey, answer: Option<Body>) {
        let Some(state) = self.dialogs.get_mut(&dialog) else { return };
        let Some(Unacked { has_our_offer, .. }) = state.unacked.take() else { return };
        let is_first = state.phase != Phase::Confirmed;
        state.phase = Phase::Confirmed;
        if state.hang_up {
            return self.end_with_bye(now, dialog, EndReason::HungUp);
        }
        self.settle_dialog(dialog);
        let answer = answer.filter(|_| has_our_offer);
        self.events.push_back(if is_first {
            Event::Confirmed { dialog, answer }
        } else {
            Event::ReofferConfirmed { dialog, answer }
        });
    }
}
