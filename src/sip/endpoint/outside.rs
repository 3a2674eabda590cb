//! Requests outside a dialog, in the order of RFC 3261 section 8.2; CANCEL.

use super::table::Machine;
use super::{Dialog, DialogKey, EndReason, Endpoint, Event, Flow, Incoming, MergeKey, Mono, Request, TransactionKey};
use crate::sip::content::{self, SDP, malformed};
use crate::sip::dialog::{Pending, Target, tag_of};
use crate::sip::response::{self, Refusal};
use crate::sip::{ALLOW, RETRY_AFTER_FULL_S};
use crate::wire::sip::{COOKIE, Encoder, Head, Method, Name, Scheme, sip_user, unescape};

impl Endpoint {
    /// A request without a To tag, whose method and scheme are ours.
    pub(super) fn handle_outside(&mut self, now: Mono, flow: Flow, key: TransactionKey, request: Request) {
        let merge = MergeKey::of(&self.random, &request);
        if let Err(refusal) = self.check_outside(merge, &request) {
            return self.refuse(now, flow, key, Some(merge), &request, &refusal);
        }
        let merge = Some(merge);
        if let Some(seconds) = self.draining {
            return self.refuse_statelessly(flow, &request, &Refusal::with(503, "Retry-After", seconds.to_string()));
        }
        if request.method == Method::Invite {
            self.handle_invite(now, flow, key, merge, request);
        } else {
            self.handle_options(now, flow, key, merge, &request);
        }
    }

    /// 404, 481, 482, 420.
    fn check_outside(&self, merge: MergeKey, request: &Request) -> Result<(), Refusal> {
        let user = request.uri.auth.as_ref().map(|auth| unescape(&auth.user));
        let is_ours = match user {
            Some(user) => self.config.extensions.iter().any(|ours| *ours == user),
            None => request.method == Method::Options,
        };
        if !is_ours {
            return Err(Refusal::plain(404));
        }
        match request.method {
            Method::Invite | Method::Options => {}
            _ => return Err(Refusal::plain(481)),
        }
        if self.merges.contains_key(&merge) {
            return Err(Refusal::plain(482));
        }
        content::check_require(&request.head)
    }

    /// OPTIONS: what an INVITE would get, and what we can do (RFC 3261 section 11.2).
    pub(super) fn handle_options(
        &mut self,
        now: Mono,
        flow: Flow,
        key: TransactionKey,
        merge: Option<MergeKey>,
        request: &Request,
    ) {
        let echo = &request.head.echo;
        let tag = request.head.to.tag().is_none().then(|| self.stateless_tag(echo));
        let mut ok = response::begin(200, echo, tag.as_deref(), &self.config.server_name);
        ok.header("Contact", &self.contact(&flow, request));
        add_capabilities(&mut ok);
        ok.header("Accept-Encoding", "identity");
        ok.header("Accept-Language", "en");
        self.give(now, flow, key, merge, request, ok.finish());
    }

    fn handle_invite(
        &mut self,
        now: Mono,
        flow: Flow,
        key: TransactionKey,
        merge: Option<MergeKey>,
        mut request: Request,
    ) {
        let made = content::take_offer(&mut request).and_then(|offer| Ok((offer, self.make_dialog(flow, &request)?)));
        let (offer, (dialog, mut state)) = match made {
            Ok(made) => made,
            Err(refusal) => return self.refuse(now, flow, key, merge, &request, &refusal),
        };
        if self.dialogs.len() >= self.config.calls_max || !self.has_room() {
            let full = Refusal::with(503, "Retry-After", RETRY_AFTER_FULL_S.to_string());
            return self.refuse_statelessly(flow, &request, &full);
        }
        let head = &request.head;
        state.pending = Some(Pending {
            transaction: key,
            method: Method::Invite,
            seq: head.cseq.seq,
            echo: head.echo.clone(),
            timestamp: head.first(Name::Timestamp).map(str::to_owned),
            has_offer: offer.is_some(),
            record_routes: head.values(Name::RecordRoute).map(str::to_owned).collect(),
            target: None,
        });
        state.account = self.guard.account(flow.peer.ip(), &request);
        let account = state.account.clone();
        self.open_dialog(dialog, state);
        self.open_server(now, flow, key, merge, &request, Some(dialog));
        let user = request.uri.auth.as_ref().map(|auth| unescape(&auth.user).into_owned());
        self.events.push_back(Event::Incoming(Incoming {
            dialog,
            call_id: head.call_id().to_owned(),
            to_user: user.unwrap_or_default(),
            from_user: sip_user(&head.from.uri),
            is_trusted: self.guard.trusts(flow.peer.ip()),
            account,
            asserted_user: asserted_user(head),
            flow,
            offer,
        }));
    }

    /// The dialog of an INVITE: 400 without a Contact (but RFC 2543 callers need none) or with a malformed route.
    fn make_dialog(&mut self, flow: Flow, request: &Request) -> Result<(DialogKey, Dialog), Refusal> {
        let is_2543 = !request.head.via.branch().is_some_and(|branch| branch.starts_with(COOKIE));
        let target = match Target::of_contact(request).map_err(malformed)? {
            Some(target) => target,
            None if is_2543 => Target::of_from(request),
            None => return Err(Refusal::plain(400)),
        };
        let mut key = DialogKey(self.random.number());
        while self.dialogs.contains_key(&key) {
            key = DialogKey(self.random.number());
        }
        let contact = self.contact(&flow, request);
        let dialog = Dialog::new(key, request, flow, target, contact).map_err(malformed)?;
        Ok((key, dialog))
    }

    /// Our Contact for a request that came this way; a `sips:` one where the request wants that of all its hops (RFC 3261
    /// section 12.1.1), which says by itself that it is reached by TLS (RFC 5630 section 3.1.4).
    fn contact(&self, flow: &Flow, request: &Request) -> String {
        let (scheme, transport) = match request.uri.scheme {
            Some(Scheme::Sips) if flow.transport.is_secure() => ("sips", ""),
            _ => ("sip", flow.transport.uri_parameter()),
        };
        let host = self.own_host(flow);
        match &request.uri.auth {
            Some(auth) => format!("<{scheme}:{}@{host}{transport}>", auth.user),
            None => format!("<{scheme}:{host}{transport}>"),
        }
    }

    /// CANCEL: 200, and 487 to an INVITE that has no final response yet (RFC 3261 section 9.2).
    pub(super) fn handle_cancel(
        &mut self,
        now: Mono,
        flow: Flow,
        key: TransactionKey,
        invite: TransactionKey,
        request: &Request,
    ) {
        let Some(server) = self.servers.get(&invite) else {
            return self.refuse_stray(now, flow, key, request, &Refusal::plain(481));
        };
        let is_open = matches!(&server.machine, Machine::Invite(machine) if machine.is_proceeding());
        let dialog = server.dialog;
        let echo = &request.head.echo;
        let tag = request.head.to.tag().is_none().then(|| dialog.map_or_else(|| self.stateless_tag(echo), tag_of));
        let ok = response::begin(200, echo, tag.as_deref(), &self.config.server_name).finish();
        self.give(now, flow, key, None, request, ok);
        if let Some(dialog) = dialog.filter(|_| is_open) {
            self.cancel_pending(now, dialog);
        }
    }

    /// Ends the call, or only its re-INVITE.
    fn cancel_pending(&mut self, now: Mono, key: DialogKey) {
        if self.is_offered(key) {
            self.close_dialog(now, key, &Refusal::plain(487));
            self.push_ended(key, EndReason::Cancelled);
        } else {
            self.refuse_pending(now, key, &Refusal::plain(487));
        }
    }
}

/// The header fields that tell what we can do.
pub(super) fn add_capabilities(response: &mut Encoder) {
    response.header("Allow", ALLOW);
    response.header("Supported", "");
    response.header("Accept", SDP);
}

/// The user part of the first `sip:` URI in P-Asserted-Identity, else the number of its `tel:` one (RFC 3325).
fn asserted_user(head: &Head) -> Option<String> {
    let asserted = head.addresses(Name::PAssertedIdentity).ok()?;
    let is_sip = |scheme: &crate::wire::sip::Scheme| !matches!(scheme, crate::wire::sip::Scheme::Other(_));
    let sip = asserted.iter().find(|address| address.uri.scheme.as_ref().is_some_and(is_sip));
    sip_user(&sip.or(asserted.first())?.uri)
}
