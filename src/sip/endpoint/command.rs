//! What the shell asks of the endpoint.

use super::{DialogKey, EndReason, Endpoint, Mono};
use crate::sip::content::SDP;
use crate::sip::dialog::{Pending, Phase, Unacked, tag_of};
use crate::sip::endpoint::outside::add_capabilities;
use crate::sip::response::{self, Refusal};
use crate::sip::transaction::Packet;
use crate::sip::{Account, CommandError};
use crate::wire::sip::Method;

impl Endpoint {
    /// Takes other passwords for accounts that there are, from the next request on; present calls go on.
    pub fn set_passwords(&mut self, accounts: Vec<Account>) {
        self.guard.set_passwords(accounts);
    }

    /// Accepts a call with a session description: our answer, or our offer where the INVITE had none. It is sent until
    /// [`crate::sip::Event::Confirmed`].
    ///
    /// # Errors
    /// The call has ended meanwhile, or is answered already.
    pub fn answer(&mut self, now: Mono, dialog: DialogKey, sdp: &[u8]) -> Result<(), CommandError> {
        if !self.dialogs.contains_key(&dialog) {
            return Err(CommandError::NoSuchDialog);
        }
        if !self.is_offered(dialog) {
            return Err(CommandError::NothingToAnswer);
        }
        self.accept_pending(now, dialog, sdp)
    }

    /// Rejects a call with a code of 300 to 699 and, say, Retry-After; [`crate::sip::Event::Ended`] follows.
    ///
    /// # Errors
    /// The call has ended meanwhile, or is answered already.
    pub fn reject(
        &mut self,
        now: Mono,
        dialog: DialogKey,
        code: u16,
        headers: &[(&'static str, &str)],
    ) -> Result<(), CommandError> {
        if !self.dialogs.contains_key(&dialog) {
            return Err(CommandError::NoSuchDialog);
        }
        if !self.is_offered(dialog) {
            return Err(CommandError::NothingToAnswer);
        }
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.close_dialog(now, dialog, &Refusal { code: refusal_code(code), headers });
        self.push_ended(dialog, EndReason::Rejected);
        Ok(())
    }

    /// Answers [`crate::sip::Event::Reoffered`]: with a session description, or with a code of 300 to 699 (488 as a rule),
    /// which leaves the session as it was.
    ///
    /// # Errors
    /// The call has ended meanwhile, or the re-INVITE was cancelled.
    pub fn answer_reoffer(
        &mut self,
        now: Mono,
        dialog: DialogKey,
        sdp: Result<&[u8], u16>,
    ) -> Result<(), CommandError> {
        let Some(state) = self.dialogs.get(&dialog) else { return Err(CommandError::NoSuchDialog) };
        if state.pending.is_none() || state.phase == Phase::Offered {
            return Err(CommandError::NothingToAnswer);
        }
        match sdp {
            Ok(sdp) => self.accept_pending(now, dialog, sdp),
            Err(code) => {
                self.refuse_pending(now, dialog, &Refusal::plain(refusal_code(code)));
                Ok(())
            }
        }
    }

    /// Ends a call: 480 where it is not answered yet, a BYE where it is up; where our answer waits for its ACK, the BYE
    /// follows that or the end of the wait (RFC 3261 section 15). [`crate::sip::Event::Ended`] comes when the BYE is sent.
    ///
    /// # Errors
    /// The call has ended meanwhile.
    pub fn hang_up(&mut self, now: Mono, dialog: DialogKey) -> Result<(), CommandError> {
        let Some(state) = self.dialogs.get_mut(&dialog) else { return Err(CommandError::NoSuchDialog) };
        match state.phase {
            Phase::Offered => {
                self.close_dialog(now, dialog, &Refusal::plain(480));
                self.push_ended(dialog, EndReason::HungUp);
            }
            Phase::Answered => state.hang_up = true,
            Phase::Confirmed => self.end_with_bye(now, dialog, EndReason::HungUp),
        }
        Ok(())
    }

    /// Takes no new calls from now on: INVITE and OPTIONS get 503 with this Retry-After, in seconds. `None` ends that.
    pub fn set_draining(&mut self, retry_after_s: Option<u32>) {
        self.draining = retry_after_s;
    }

    /// Whether the call waits for its first answer.
    pub(super) fn is_offered(&self, dialog: DialogKey) -> bool {
        self.dialogs.get(&dialog).is_some_and(|state| state.phase == Phase::Offered)
    }

    /// Gives the request that waits its 200.
    fn accept_pending(&mut self, now: Mono, key: DialogKey, sdp: &[u8]) -> Result<(), CommandError> {
        let Some(dialog) = self.dialogs.get_mut(&key) else { return Err(CommandError::NoSuchDialog) };
        let Some(pending) = dialog.pending.take() else { return Err(CommandError::NothingToAnswer) };
        let Pending { transaction, method, seq, echo, has_offer, record_routes, target, timestamp: _ } = pending;
        let tag = (dialog.phase == Phase::Offered).then(|| tag_of(key));
        let mut ok = response::begin(200, &echo, tag.as_deref(), &self.config.server_name);
        for route in &record_routes {
            ok.header("Record-Route", route);
        }
        ok.header("Contact", &dialog.contact);
        add_capabilities(&mut ok);
        let packet: Packet = ok.finish_with(SDP, sdp).into();
        if let Some(target) = target {
            dialog.target = target;
        }
        let reply = self.servers.get(&transaction).map_or(dialog.flow, |server| server.reply);
        if method == Method::Invite {
            dialog.unacked = Some(Unacked::new(now, seq, packet.clone(), reply, !has_offer));
        }
        if dialog.phase == Phase::Offered {
            dialog.phase = Phase::Answered;
        }
        self.respond(now, transaction, 200, packet, reply);
        self.settle_dialog(key);
        Ok(())
    }

    /// Refuses the re-INVITE or UPDATE that waits; the session stays as it was.
    pub(super) fn refuse_pending(&mut self, now: Mono, key: DialogKey, refusal: &Refusal) {
        let Some(dialog) = self.dialogs.get_mut(&key) else { return };
        let Some(pending) = dialog.pending.take() else { return };
        let reply = dialog.flow;
        let bytes = response::refusal(refusal, &pending.echo, None, &self.config.server_name);
        self.respond(now, pending.transaction, refusal.code, bytes.into(), reply);
    }
}

/// A code that refuses; anything else is a mistake of ours, which the caller hears as 500.
fn refusal_code(code: u16) -> u16 {
    if (300..=699).contains(&code) { code } else { 500 }
}
