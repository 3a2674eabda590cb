//! What is done only after one's own PIN was keyed again. There is one deed for each: the check before the PIN has all
//! of its checks, and the confirmation does them again.

use switchhook::access::{Destructive, Refusal, Reply, Role};
use switchhook::model::{AccountId, Pin};

use super::changes::{Edits, Slot, Value};
use super::{By, Ledger, Request};

/// Fewest digits of the account PIN of someone who holds a role.
const ROLE_PIN_DIGITS_MIN: usize = 8;

impl Ledger {
    /// Everything but the PIN; nothing is changed.
    pub(super) fn check(&self, request: &Request<'_>, what: &Destructive) -> Result<Reply, Refusal> {
        match what {
            Destructive::Reboot { .. } => {
                self.may_reboot()?;
                Ok(self.reboot_state(request))
            }
            Destructive::DeleteUser { extension } => {
                let id = self.id_of(extension)?;
                self.deletion(request, id).map(|_| Reply::MayChange(self.person(id)))
            }
            Destructive::DisableTrunk { kind, number } => {
                if self.is_trunk_enabled(*kind, *number)? {
                    Ok(Reply::Done)
                } else {
                    Err(Refusal::AlreadySo)
                }
            }
            Destructive::AssignRole { role, extension } => {
                let id = self.id_of(extension)?;
                self.assignment(id, *role).map(|_| Reply::MayChange(self.person(id)))
            }
            Destructive::RemoveRole { role, extension } => {
                let id = self.id_of(extension)?;
                self.removal(id, *role).map(|_| Reply::MayChange(self.person(id)))
            }
            Destructive::Undo { number } => self.may_undo(request, *number),
        }
    }

    pub(super) fn confirm(&mut self, request: &Request<'_>, what: &Destructive, pin: &Pin) -> Result<Reply, Refusal> {
        if !self.is_right(request.now, request.id, By::Own, pin) {
            return Err(Refusal::PinWrong);
        }
        let (target, edits) = match what {
            Destructive::Reboot { when } => return self.request_reboot(request, *when),
            Destructive::Undo { number } => return self.undo(request, *number),
            Destructive::DisableTrunk { kind, number } => {
                if !self.is_trunk_enabled(*kind, *number)? {
                    return Err(Refusal::AlreadySo);
                }
                (number.0.to_string(), vec![(Slot::Trunk(*kind, *number), Value::Nothing)])
            }
            Destructive::DeleteUser { extension } => {
                let id = self.id_of(extension)?;
                let edits = self.deletion(request, id)?;
                self.accounts.retain(|account| account.id != id);
                (extension.to_string(), edits)
            }
            Destructive::AssignRole { role, extension } => {
                (extension.to_string(), self.assignment(self.id_of(extension)?, *role)?)
            }
            Destructive::RemoveRole { role, extension } => {
                (extension.to_string(), self.removal(self.id_of(extension)?, *role)?)
            }
        };
        Ok(Reply::Changed(self.change(request, target, edits)))
    }

    fn deletion(&self, request: &Request<'_>, id: AccountId) -> Result<Edits, Refusal> {
        if id == request.id {
            return Err(Refusal::NotYourself);
        }
        self.keeping_an_administrator(self.without(id))
    }

    fn assignment(&self, id: AccountId, role: Role) -> Result<Edits, Refusal> {
        let slot = Slot::Role(id, role);
        if self.is_on(slot) {
            return Err(Refusal::AlreadySo);
        }
        if self.by_id(id).is_none_or(|account| account.pin.digits.len() < ROLE_PIN_DIGITS_MIN) {
            return Err(Refusal::PinTooShortForRole);
        }
        Ok(vec![(slot, Value::On)])
    }

    fn removal(&self, id: AccountId, role: Role) -> Result<Edits, Refusal> {
        let slot = Slot::Role(id, role);
        if !self.is_on(slot) {
            return Err(Refusal::NothingThere);
        }
        self.keeping_an_administrator(vec![(slot, Value::Nothing)])
    }
}
