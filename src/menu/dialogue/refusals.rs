//! What is said of a refusal, where the branch has no words of its own for it.

use crate::access::{Refusal, Reply};
use crate::model::Clip;

use super::Dialogue;

impl Dialogue {
    /// Says why it was not done, and goes where the action began.
    pub(super) fn refused(&mut self, reply: &Reply) {
        let Reply::Refused(refusal) = reply else { return self.failed() };
        match policy_clip(*refusal).or_else(|| general_clip(*refusal)) {
            Some(clip) => self.go(self.home(), clip),
            None => self.failed(),
        }
    }
}

/// What is said when the PIN policy refuses.
pub(super) fn policy_clip(refusal: Refusal) -> Option<Clip> {
    match refusal {
        Refusal::PinTooShort => Some("pin-too-short"),
        Refusal::PinTooSimple => Some("pin-too-simple"),
        Refusal::PinUsedBefore => Some("pin-used-before"),
        _ => None,
    }
}

fn general_clip(refusal: Refusal) -> Option<Clip> {
    match refusal {
        Refusal::NotAllowedForThisAccount => Some("not-allowed-for-this-account"),
        Refusal::NotEncrypted => Some("needs-encrypted-call"),
        Refusal::NotYourself => Some("not-yourself"),
        Refusal::PinTooShortForRole => Some("pin-too-short-for-role"),
        Refusal::AlreadySo => Some("already-so"),
        Refusal::ForwardNotAllowed => Some("forward-not-allowed"),
        Refusal::LastServerAdministrator => Some("last-server-administrator"),
        Refusal::CannotUndo => Some("change-cannot-be-undone"),
        Refusal::ChangedSince => Some("change-changed-since"),
        Refusal::AlreadyUndone => Some("change-already-undone"),
        Refusal::TooMany => Some("too-many"),
        // What they are about is known to the branch only, or they are no answer to what was asked.
        Refusal::LoginFailed
        | Refusal::NotAllowed
        | Refusal::NoLongerAllowed
        | Refusal::PinWrong
        | Refusal::PinTooShort
        | Refusal::PinTooSimple
        | Refusal::PinUsedBefore
        | Refusal::Unknown
        | Refusal::OtherUnknown
        | Refusal::NothingThere
        | Refusal::LastEnabled
        | Refusal::TryLater => None,
    }
}
