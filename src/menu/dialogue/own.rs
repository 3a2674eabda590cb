//! My settings: forwarding, do not disturb, greeting and name, all settings.

use crate::access::{Action, ForwardKind, OwnAudio, Refusal, Reply, Settings};
use crate::menu::entry::Entry;
use crate::menu::speech::Words;
use crate::menu::tree::{FORWARD, FORWARD_KINDS, FORWARD_NUMBER, GREETING, KEEP_FORWARD, MY, Menu, NAME, Own, Place};
use crate::model::{Clip, Language, PhoneNumber};

use super::{Dialogue, Work};

/// One kind of forwarding that the caller has chosen.
#[derive(Clone, Debug)]
pub(super) struct Forwarding {
    kind: ForwardKind,
    /// The number that was keyed.
    to: Option<PhoneNumber>,
}

#[cfg(test)]
impl Forwarding {
    /// What tells two of them apart, for the tests that walk all states.
    pub(super) fn state(&self) -> String {
        format!("{:?} {}", self.kind, self.to.is_some())
    }
}

impl Dialogue {
    pub(super) fn run_own(&mut self, function: Own) {
        match function {
            Own::ChangeVoicemailPin => self.change_voicemail_pin(),
            Own::ChangeAccountPin => self.change_account_pin(),
            Own::ChangeSupportPin => self.change_support_pin(),
            Own::LeaveNewPin => self.leave_new_pin(),
            Own::LeavePinAgain => self.ask_new_pin(Words::none()),
            Own::OpenForwarding(kind) => {
                self.work = Work::Forwarding(Forwarding { kind, to: None });
                self.ask(Action::ReadForwarding { kind }, Place::Menu(&FORWARD_KINDS), Self::forwarding_read);
            }
            Own::KeepForwarding => self.keep_forwarding(),
            Own::ForwardingOff => self.forwarding_off(),
            Own::ToggleDnd => self.ask(Action::ToggleDnd, Place::Menu(&MY), Self::dnd_toggled),
            Own::Listen(which) => {
                self.ask(Action::ListenOwn { which }, Place::Menu(own_menu(which)), Self::own_audio_read);
            }
            Own::Record(which) => self.record_own(which),
            Own::RestoreGreeting => {
                self.ask(Action::RestoreGreeting, Place::Menu(&GREETING), Self::greeting_restored);
            }
            Own::RemoveGreeting => self.ask(Action::RemoveGreeting, Place::Menu(&GREETING), Self::greeting_removed),
            Own::HearAll => self.ask(Action::ReadSettings, Place::Menu(&MY), Self::settings_read),
        }
    }

    fn forwarding_read(&mut self, reply: &Reply) {
        match reply {
            Reply::Forwarding { to } => self.go(Place::Menu(&FORWARD), forwarded(Words::none(), to.as_ref())),
            reply => self.refused(reply),
        }
    }

    pub(super) fn forward_number(&mut self, entry: &Entry) {
        match (entry.phone_number(), &mut self.work) {
            (Some(to), Work::Forwarding(forwarding)) => {
                forwarding.to = Some(to.clone());
                let action = Action::CheckForwardNumber { to };
                self.ask(action, Place::Question(&FORWARD_NUMBER), Self::forward_number_checked);
            }
            // Longer than any number.
            _ => self.stay("forward-not-allowed"),
        }
    }

    fn forward_number_checked(&mut self, reply: &Reply) {
        match (reply, &self.work) {
            (Reply::Done, Work::Forwarding(Forwarding { to: Some(to), .. })) => {
                let words = Words::from("forward-read-back").digits(to.as_str());
                self.go(Place::Menu(&KEEP_FORWARD), words);
            }
            (reply, _) => self.refused(reply),
        }
    }

    fn keep_forwarding(&mut self) {
        match &self.work {
            Work::Forwarding(Forwarding { kind, to: Some(to) }) => {
                let action = Action::SetForwarding { kind: *kind, to: to.clone() };
                self.ask(action, Place::Menu(&FORWARD), Self::forwarding_set);
            }
            _ => self.go(Place::Menu(&FORWARD_KINDS), Words::none()),
        }
    }

    fn forwarding_set(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&FORWARD), "forward-set", *change),
            reply => self.refused(reply),
        }
    }

    fn forwarding_off(&mut self) {
        match &self.work {
            Work::Forwarding(Forwarding { kind, .. }) => {
                let action = Action::ForwardingOff { kind: *kind };
                self.ask(action, Place::Menu(&FORWARD), Self::forwarding_ended);
            }
            _ => self.go(Place::Menu(&FORWARD_KINDS), Words::none()),
        }
    }

    fn forwarding_ended(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&FORWARD), "forward-off", *change),
            Reply::Refused(Refusal::NothingThere) => self.go(Place::Menu(&FORWARD), "forward-is-off"),
            reply => self.refused(reply),
        }
    }

    fn dnd_toggled(&mut self, reply: &Reply) {
        match reply {
            Reply::Dnd { on, change } => self.changed(Place::Menu(&MY), dnd_clip(*on), *change),
            reply => self.refused(reply),
        }
    }

    fn own_audio_read(&mut self, reply: &Reply) {
        match reply {
            Reply::Audio(Some(audio)) => self.go(self.home(), Words::none().audio(Some(audio.clone()))),
            Reply::Audio(None) => self.go(self.home(), "recording-empty"),
            reply => self.refused(reply),
        }
    }

    fn greeting_restored(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&GREETING), "greeting-restored", *change),
            Reply::Refused(Refusal::NothingThere) => self.go(Place::Menu(&GREETING), "recording-nothing-older"),
            reply => self.refused(reply),
        }
    }

    fn greeting_removed(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&GREETING), "greeting-removed", *change),
            Reply::Refused(Refusal::NothingThere) => self.go(Place::Menu(&GREETING), "recording-empty"),
            reply => self.refused(reply),
        }
    }

    fn settings_read(&mut self, reply: &Reply) {
        match reply {
            Reply::Settings(settings) => self.go(Place::Menu(&MY), all_settings(settings)),
            reply => self.refused(reply),
        }
    }
}

/// The menu of one's greeting or name.
pub(super) fn own_menu(which: OwnAudio) -> &'static Menu {
    match which {
        OwnAudio::Greeting => &GREETING,
        OwnAudio::Name => &NAME,
    }
}

/// Where calls go.
fn forwarded(first: Words, to: Option<&PhoneNumber>) -> Words {
    match to {
        Some(to) => first.clip("forward-is-to").digits(to.as_str()),
        None => first.clip("forward-is-off"),
    }
}

/// Where calls of each kind go, in the order of [`ForwardKind::ALL`]; one sentence where none goes anywhere.
pub(super) fn all_forwarding(numbers: &[Option<PhoneNumber>; 3]) -> Words {
    if numbers.iter().all(Option::is_none) {
        return Words::from("forward-is-off");
    }
    let kinds = ForwardKind::ALL.into_iter().zip(numbers);
    kinds.fold(Words::none(), |words, (kind, to)| forwarded(words.clip(forward_kind_clip(kind)), to.as_ref()))
}

fn all_settings(settings: &Settings) -> Words {
    let either = |is: bool, yes: Clip, no: Clip| if is { yes } else { no };
    let words = all_forwarding(&settings.forwarding)
        .clip(dnd_clip(settings.dnd))
        .clip(either(settings.has_greeting, "settings-greeting", "settings-no-greeting"))
        .clip(either(settings.has_name, "settings-name", "settings-no-name"))
        .clip(either(settings.has_voicemail_pin, "settings-voicemail-pin", "settings-no-voicemail-pin"))
        .clip(either(settings.has_support_pin, "settings-support-pin", "settings-no-support-pin"));
    match settings.language {
        Some(language) => words.clip("settings-language").clip(language_clip(language)),
        None => words.clip("settings-no-language"),
    }
}

fn forward_kind_clip(kind: ForwardKind) -> Clip {
    match kind {
        ForwardKind::Always => "settings-forward-always",
        ForwardKind::Busy => "settings-forward-busy",
        ForwardKind::NoAnswer => "settings-forward-no-answer",
    }
}

fn dnd_clip(on: bool) -> Clip {
    if on { "dnd-on" } else { "dnd-off" }
}

fn language_clip(language: Language) -> Clip {
    match language {
        Language::English => "language-name-en",
        Language::Spanish => "language-name-es",
        Language::French => "language-name-fr",
        Language::German => "language-name-de",
    }
}
