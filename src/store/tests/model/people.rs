//! The model's side of what people set for themselves and for others, and of putting it back.

use super::*;
use crate::access::{ForwardKind, Permission};

/// What a change was, as far as an undo needs it.
#[derive(Clone)]
pub(super) enum Deed {
    NoWayBack,
    Dnd { whose: String, on: bool },
    Busy { whose: String, before: Option<&'static str>, after: Option<&'static str> },
    Enabled { whose: String, now: bool },
    Role { whose: String, role: Role, given: bool },
    Live { number: u32, before: usize, after: usize },
}

pub(super) struct ChangeModel {
    /// Empty for the shell.
    pub(super) by: String,
    pub(super) deed: Deed,
    pub(super) undone: bool,
    /// The place in the log of what it has undone.
    pub(super) undoes: Option<usize>,
}

impl Deed {
    /// Whether both were about one and the same thing.
    fn is_about(&self, other: &Deed) -> bool {
        match (self, other) {
            (Deed::Dnd { whose: a, .. }, Deed::Dnd { whose: b, .. })
            | (Deed::Busy { whose: a, .. }, Deed::Busy { whose: b, .. })
            | (Deed::Enabled { whose: a, .. }, Deed::Enabled { whose: b, .. }) => a == b,
            (Deed::Role { whose: a, role: one, .. }, Deed::Role { whose: b, role: other, .. }) => {
                a == b && one == other
            }
            (Deed::Live { number: a, .. }, Deed::Live { number: b, .. }) => a == b,
            _ => false,
        }
    }
}

/// Where the model's people forward to when busy; none is an extension of theirs.
pub(super) const FORWARDS: [&str; 3] = ["5551234", "4711", "0049891234567"];

impl Model {
    /// The reply to what is about people; `None` where the action is none of these.
    pub(super) fn people(&mut self, who: &SessionModel, action: &Action, now: i64) -> Option<Reply> {
        Some(match action {
            Action::ToggleDnd => {
                let on = !self.accounts[&who.extension].dnd;
                Reply::Dnd { on, change: self.set_dnd(&who.extension, on) }
            }
            Action::SetForwarding { kind: ForwardKind::Busy, to } => {
                let to = FORWARDS.into_iter().find(|known| *known == to.as_str()).unwrap();
                if to.starts_with("00") {
                    return Some(Reply::Refused(Refusal::ForwardNotAllowed));
                }
                self.set_busy(&who.extension, Some(to)).map_or(Reply::Refused(Refusal::AlreadySo), Reply::Changed)
            }
            Action::ForwardingOff { kind: ForwardKind::Busy } => {
                self.set_busy(&who.extension, None).map_or(Reply::Refused(Refusal::NothingThere), Reply::Changed)
            }
            Action::SetUserEnabled { extension, enabled } => {
                if let Err(refusal) = self.reach(who, extension.as_str()) {
                    return Some(Reply::Refused(refusal));
                }
                if !enabled && extension.as_str() == who.extension {
                    return Some(Reply::Refused(Refusal::NotYourself));
                }
                self.set_enabled(extension.as_str(), *enabled)
                    .map_or(Reply::Refused(Refusal::AlreadySo), Reply::Changed)
            }
            Action::UnlockUser { extension } => {
                if let Err(refusal) = self.reach(who, extension.as_str()) {
                    return Some(Reply::Refused(refusal));
                }
                let account = self.accounts.get_mut(extension.as_str()).unwrap();
                account.account.unlock();
                Reply::Changed(self.change())
            }
            Action::Confirm(Destructive::Undo { number }, pin) => {
                if !self.own_pin(who, pin, now) {
                    return Some(Reply::Refused(Refusal::PinWrong));
                }
                self.undo(who, *number).map_or_else(Reply::Refused, Reply::Changed)
            }
            Action::Confirm(Destructive::AssignRole { role, extension }, pin) => {
                self.role(who, (*role, extension.as_str(), true), pin, now)
            }
            Action::Confirm(Destructive::RemoveRole { role, extension }, pin) => {
                self.role(who, (*role, extension.as_str(), false), pin, now)
            }
            _ => return None,
        })
    }

    /// What may be done to another account; a denial is noted.
    pub(super) fn reach(&mut self, who: &SessionModel, extension: &str) -> Result<(), Refusal> {
        if !self.accounts.contains_key(extension) {
            return Err(Refusal::Unknown);
        }
        if !self.allowed(who).covers(self.permissions(extension)) {
            self.audit("denied");
            return Err(Refusal::NotAllowedForThisAccount);
        }
        Ok(())
    }

    fn allowed(&self, who: &SessionModel) -> Permissions {
        let held = self.permissions(&who.extension);
        held.without(held.without(who.session.granted))
    }

    fn set_dnd(&mut self, whose: &str, on: bool) -> ChangeNumber {
        self.accounts.get_mut(whose).unwrap().dnd = on;
        self.change_of(Deed::Dnd { whose: whose.into(), on })
    }

    fn set_busy(&mut self, whose: &str, to: Option<&'static str>) -> Option<ChangeNumber> {
        let slot = &mut self.accounts.get_mut(whose).unwrap().busy;
        let before = std::mem::replace(slot, to);
        (before != to).then(|| self.change_of(Deed::Busy { whose: whose.into(), before, after: to }))
    }

    pub(super) fn set_enabled(&mut self, whose: &str, now: bool) -> Option<ChangeNumber> {
        let before = std::mem::replace(&mut self.accounts.get_mut(whose).unwrap().enabled, now);
        (before != now).then(|| self.change_of(Deed::Enabled { whose: whose.into(), now }))
    }

    /// Gives or takes a role, where that changes something.
    pub(super) fn set_role(&mut self, whose: &str, role: Role, give: bool) -> Result<Option<ChangeNumber>, Refusal> {
        let account = self.accounts.get_mut(whose).unwrap();
        if account.roles.contains(&role) == give {
            return Ok(None);
        }
        if give && account.account.digits.len() < 8 {
            return Err(Refusal::PinTooShortForRole);
        }
        if give {
            account.roles.push(role);
            account.roles.sort_unstable();
        } else {
            account.roles.retain(|held| *held != role);
        }
        Ok(Some(self.change_of(Deed::Role { whose: whose.into(), role, given: give })))
    }

    fn role(&mut self, who: &SessionModel, (role, whose, give): (Role, &str, bool), pin: &Pin, now: i64) -> Reply {
        if let Err(refusal) = self.reach(who, whose) {
            return Reply::Refused(refusal);
        }
        if !self.own_pin(who, pin, now) {
            return Reply::Refused(Refusal::PinWrong);
        }
        let so = if give { Refusal::AlreadySo } else { Refusal::NothingThere };
        match self.set_role(whose, role, give) {
            Ok(Some(change)) => Reply::Changed(change),
            Ok(None) => Reply::Refused(so),
            Err(refusal) => Reply::Refused(refusal),
        }
    }

    fn undo(&mut self, who: &SessionModel, number: ChangeNumber) -> Result<ChangeNumber, Refusal> {
        let allowed = self.allowed(who);
        let roles = &self.accounts[&who.extension].roles;
        let administers = |role: &Role| {
            matches!(role, Role::ServerAdministrator | Role::SystemAdministrator) && allowed.covers(role.permissions())
        };
        let hears_all = roles.iter().any(administers);
        let at = number.0 as usize - 1;
        let change = self.log.get(at).filter(|change| hears_all || change.by == who.extension);
        let ChangeModel { deed, undone, .. } = change.ok_or(Refusal::Unknown)?;
        if *undone {
            return Err(Refusal::AlreadyUndone);
        }
        let made = self.put_back(who, &deed.clone(), self.was_changed_after(at))?;
        self.log[at].undone = true;
        self.log[made.0 as usize - 1].undoes = Some(at);
        self.audit("ok");
        Ok(made)
    }

    /// Whether something later was about the same and still holds; an undo of something later is none of its own.
    fn was_changed_after(&self, at: usize) -> bool {
        let is_other = |(later, change): (usize, &ChangeModel)| {
            later > at && change.deed.is_about(&self.log[at].deed) && change.undoes.is_none_or(|undone| undone <= at)
        };
        (0..).zip(&self.log).any(|(later, change)| is_other((later, change)) && self.holds(later))
    }

    fn holds(&self, at: usize) -> bool {
        let undo = self.log.iter().position(|change| change.undoes == Some(at));
        undo.is_none_or(|undo| !self.holds(undo))
    }

    fn put_back(&mut self, who: &SessionModel, deed: &Deed, was_changed: bool) -> Result<ChangeNumber, Refusal> {
        let since = Refusal::ChangedSince;
        match deed {
            Deed::NoWayBack => Err(Refusal::CannotUndo),
            Deed::Dnd { whose, on } => {
                self.own_or_managed(who, whose)?;
                if self.accounts[whose].dnd == *on && !was_changed { Ok(self.set_dnd(whose, !on)) } else { Err(since) }
            }
            Deed::Busy { whose, before, after } => {
                self.own_or_managed(who, whose)?;
                let is_so = self.accounts[whose].busy == *after && !was_changed;
                if is_so { self.set_busy(whose, *before).ok_or(since) } else { Err(since) }
            }
            Deed::Enabled { whose, now } => {
                self.managed(who, whose, Permission::UsersManage)?;
                if *now && *whose == who.extension {
                    return Err(Refusal::NotYourself);
                }
                if was_changed { Err(since) } else { self.set_enabled(whose, !now).ok_or(since) }
            }
            Deed::Role { whose, role, given } => {
                self.managed(who, whose, Permission::RolesAssign)?;
                let holder = &self.accounts[whose];
                // What can't be done is told before what should not be.
                let is_short = !given && !holder.roles.contains(role) && holder.account.digits.len() < 8;
                if was_changed && !is_short { Err(since) } else { self.set_role(whose, *role, !given)?.ok_or(since) }
            }
            Deed::Live { number, before, after } => {
                self.must(who, Permission::RecordingsChange)?;
                let recording = self.recordings.get_mut(number).unwrap();
                if recording.live != *after || was_changed {
                    return Err(since);
                }
                recording.live = *before;
                Ok(self.change_of(Deed::Live { number: *number, before: *after, after: *before }))
            }
        }
    }

    fn own_or_managed(&mut self, who: &SessionModel, whose: &str) -> Result<(), Refusal> {
        if whose == who.extension { Ok(()) } else { self.managed(who, whose, Permission::UsersManage) }
    }

    fn managed(&mut self, who: &SessionModel, whose: &str, permission: Permission) -> Result<(), Refusal> {
        self.must(who, permission)?;
        self.reach(who, whose)
    }

    fn must(&mut self, who: &SessionModel, permission: Permission) -> Result<(), Refusal> {
        if self.allowed(who).has(permission) {
            return Ok(());
        }
        self.audit("denied");
        Err(if who.session.granted.has(permission) { Refusal::NoLongerAllowed } else { Refusal::NotAllowed })
    }
}
