//! What tells two dialogues apart, as text: for the tests that walk all states.

use std::fmt::Write;

use crate::menu::tree::Place;
use crate::model::Key;

use super::{Dialogue, Phase, Work};

impl Dialogue {
    /// All but times, tickets, the language and digits that make no difference (see [`class`]).
    pub(in crate::menu) fn state(&self) -> String {
        let mut out = format!("{:?} ", self.place);
        let _ = match self.phase {
            Phase::Ringing => write!(out, "ringing"),
            Phase::Prompting(_) => write!(out, "prompting"),
            Phase::Listening => write!(out, "listening"),
            Phase::Announcing(_, after) => write!(out, "announcing {:x}", after as usize),
            Phase::Asking(pending) => write!(out, "asking {:x} {:?}", pending.then as usize, pending.home),
            Phase::Recording(stage, _) => write!(out, "recording {stage:?}"),
            Phase::Closing(_) => write!(out, "closing"),
            Phase::Over => write!(out, "over"),
        };
        let _ = match &self.work {
            Work::Nothing => write!(out, " -"),
            Work::Login(_) => write!(out, " login"),
            Work::PinChange(change) => write!(out, " {}", change.state()),
            Work::Language(language) => write!(out, " {language:?}"),
            Work::Forwarding(forwarding) => write!(out, " {}", forwarding.state()),
            Work::List(list) => write!(out, " {}", list.state()),
            Work::Item(item) => write!(out, " {}", item.state()),
            Work::Recording(recording) => write!(out, " {}", recording.state()),
            Work::User(user) => write!(out, " {}", user.state()),
            Work::Mode(mode) => write!(out, " {mode:?}"),
            Work::Backup(_) => write!(out, " backup"),
            Work::Support(_) => write!(out, " support"),
            Work::Role(role) => write!(out, " {role:?}"),
        };
        let entry = self.entry.pin().map_or("overlong", |pin| class(pin.digits()));
        let mut ahead = self.ahead.clone();
        let ahead: String = std::iter::from_fn(|| ahead.pop()).map(Key::to_char).collect();
        // Who calls from where, and how often a login has failed, matters until one has not.
        let calling = self.account.is_none().then_some((self.failed_logins, self.caller.extension.is_some()));
        // What is left of the caller's rights matters where a choice needs one.
        let asks = matches!(self.place, Place::Menu(menu) if menu.choices.iter().any(|choice| choice.needs.is_some()));
        let account = self.account.map(|account| (asks.then_some(account.left), account.has_role));
        let confirm = self.confirm.as_ref().map(|confirm| confirm.state());
        let _ = write!(
            out,
            " entry {entry} ahead {ahead} held {} counts {} {} {calling:?} account {account:?} confirm {confirm:?} \
             timer {} moves {} greeting {:?} up {}",
            self.held,
            self.silences,
            self.wrong_keys,
            self.timer.is_some(),
            self.moves_on.is_some(),
            self.greeting,
            self.time_is_up,
        );
        out
    }

    /// Whether something that leads on by itself is being said.
    pub(in crate::menu) fn is_announcing(&self) -> bool {
        matches!(self.phase, Phase::Announcing(..))
    }

    /// Whether the store is waited for.
    pub(in crate::menu) fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Asking(_))
    }

    /// Where the caller is in the menu, while recording too.
    pub(in crate::menu) fn listens_at(&self) -> Place {
        self.place
    }

    /// Whether the silence timer or a countdown will fire before the call's own limit.
    pub(in crate::menu) fn has_own_timer(&self) -> bool {
        self.timer.is_some() || self.moves_on.is_some()
    }

    /// Whether a key waits for something that takes it.
    pub(in crate::menu) fn has_key_waiting(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Whether a key is down.
    pub(in crate::menu) fn is_held(&self) -> bool {
        self.held
    }
}

/// All that matters about keyed digits to the dialogue: none, one certain digit (two PINs can be equal), others.
pub(super) fn class(digits: &str) -> &'static str {
    match digits {
        "" => "none",
        "1" => "1",
        _ => "some",
    }
}
