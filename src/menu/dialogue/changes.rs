//! Recent changes: heard, and undone by their number.

use crate::access::{Action, Destructive, Refusal, Reply, ToldChange};
use crate::menu::entry::Entry;
use crate::menu::speech::Words;
use crate::menu::tree::{CHANGE_NUMBER, CHANGES, Place};
use crate::model::{ChangeNumber, Clip};

use super::Dialogue;

/// Digits of what was changed that are said; no number of a thing or a person is longer.
const TARGET_DIGITS_MAX: usize = 16;

impl Dialogue {
    pub(super) fn hear_changes(&mut self) {
        self.ask(Action::ListChanges, Place::Menu(&CHANGES), Self::changes_listed);
    }

    fn changes_listed(&mut self, reply: &Reply) {
        match reply {
            Reply::Changes(changes) if changes.is_empty() => self.go(Place::Menu(&CHANGES), "changes-none"),
            Reply::Changes(changes) => self.go(Place::Menu(&CHANGES), changes.iter().fold(Words::none(), told)),
            reply => self.refused(reply),
        }
    }

    pub(super) fn change_number(&mut self, entry: &Entry) {
        match entry.number() {
            Some(number) => {
                let number = ChangeNumber(i64::from(number));
                self.check(Destructive::Undo { number }, Place::Menu(&CHANGES));
            }
            None => self.stay("change-unknown"),
        }
    }

    pub(super) fn undo_refused(&mut self, reply: &Reply) {
        match reply {
            Reply::Refused(Refusal::Unknown) => self.go(Place::Question(&CHANGE_NUMBER), "change-unknown"),
            reply => self.refused(reply),
        }
    }
}

/// A change: its number, what was changed, by whom, when.
pub(super) fn told(first: Words, change: &ToldChange) -> Words {
    let digits: String = change.target.chars().take_while(char::is_ascii_digit).take(TARGET_DIGITS_MAX).collect();
    let words = first.change(change.number).clip(action_clip(&change.action)).digits(&digits);
    let words = match &change.by {
        Some(who) => words.clip("change-by").digits(who.extension.as_str()).audio(who.spoken_name.clone()),
        None => words.clip("change-by-shell"),
    };
    match change.at {
        Some(at) => words.moment(at),
        None => words,
    }
}

/// What kind of change it was.
fn action_clip(action: &str) -> Clip {
    match action {
        "account_pin.changed" | "account_pin.reset" => "change-account-pin",
        "voicemail_pin.changed" | "voicemail_pin.reset" => "change-voicemail-pin",
        "support_pin.changed" => "change-support-pin",
        "forwarding.changed" => "change-forwarding",
        "dnd.changed" => "change-dnd",
        "greeting.changed" | "greeting.restored" | "greeting.removed" => "change-greeting",
        "name.changed" => "change-name",
        "language.changed" => "change-language",
        "recording.changed" | "recording.restored" | "recording.added" => "change-recording",
        "user.added" => "change-user-added",
        "user.deleted" => "change-user-deleted",
        "user.unlocked" => "change-user-unlocked",
        "user.enabled" => "change-user-enabled",
        "user.disabled" => "change-user-disabled",
        "handset.assigned" => "change-handset-assigned",
        "handset.removed" => "change-handset-removed",
        "role.assigned" => "change-role-assigned",
        "role.removed" => "change-role-removed",
        "mode.changed" => "change-mode",
        "attendant.changed" | "attendant.added" | "attendant.deleted" => "change-attendant",
        "group.member_added" | "group.member_removed" | "group.added" | "group.deleted" => "change-group",
        "callcenter.opened" => "change-callcenter-opened",
        "callcenter.closed" => "change-callcenter-closed",
        "line.enabled" | "line.disabled" | "line.added" | "line.deleted" => "change-line",
        "gateway.enabled" | "gateway.disabled" | "gateway.added" | "gateway.deleted" => "change-gateway",
        "proxy.enabled" | "proxy.disabled" | "proxy.added" | "proxy.deleted" => "change-proxy",
        "backup.requested" => "change-backup",
        "reboot.requested" => "change-reboot",
        "reboot.cancelled" => "change-reboot-cancelled",
        "logging.detailed" | "logging.normal" | "logging.file_closed" => "change-logging",
        "change.undone" => "change-undo",
        _ => "change-other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_action_is_told_too() {
        assert_eq!(action_clip("recording.changed"), "change-recording");
        assert_eq!(action_clip("something.else"), "change-other");
    }
}
