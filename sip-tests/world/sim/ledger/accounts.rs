//! Who has an account, and their PINs.

use std::time::Duration;

use switchhook::access::{News, Refusal, Role};
use switchhook::model::{AccountId, Audio, Extension, Mono, Pin};

const LOCK_AFTER: u32 = 5;
const LOCK_S: u64 = 300;
/// PINs of one kind that are remembered, the present one among them.
const PINS_REMEMBERED: usize = 5;

/// Someone who has an account from the beginning.
#[derive(Clone, Copy)]
pub struct Known {
    pub extension: &'static str,
    pub role: Option<Role>,
    pub pin: &'static str,
    pub voicemail_pin: &'static str,
    pub support_pin: &'static str,
    /// Whether the account PIN is a temporary one.
    pub is_temporary: bool,
}

pub const PEOPLE: [Known; 10] = [
    known("1000", Some(Role::ServerAdministrator), "61849273", "840296", "705318"),
    known("1001", Some(Role::SystemAdministrator), "52961847", "920471", "318604"),
    known("1002", Some(Role::PhoneAdministrator), "83517294", "730185", "592037"),
    known("1003", Some(Role::NetworkAdministrator), "74926185", "614093", "861529"),
    known("1004", Some(Role::SupportTechnician), "29618374", "851730", "406275"),
    known("1005", None, "904826", "407193", "637149"),
    known("1006", None, "618049", "395062", "284016"),
    Known { is_temporary: true, ..known("1007", Some(Role::PhoneAdministrator), "38264915", "264097", "950384") },
    // Someone whose PIN is long enough for a role.
    known("1008", None, "73950284", "816350", "472906"),
    // Someone who never calls: to be changed, disabled and deleted by others.
    known("1009", None, "495027", "520849", "139758"),
];

const fn known(
    extension: &'static str,
    role: Option<Role>,
    pin: &'static str,
    voicemail_pin: &'static str,
    support_pin: &'static str,
) -> Known {
    Known { extension, role, pin, voicemail_pin, support_pin, is_temporary: false }
}

/// A PIN, those before it, and its lock.
pub struct Secret {
    pub digits: String,
    pub is_temporary: bool,
    /// How often somebody else has set it.
    pub resets: i64,
    before: Vec<String>,
    own: Failures,
    other: Failures,
}

/// By who is logged in, or by everybody else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    Own,
    Other,
}

#[derive(Default)]
struct Failures {
    count: u32,
    locked_until: Option<Mono>,
}

impl Failures {
    fn is_locked(&self, now: Mono) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }
}

pub struct Account {
    pub id: AccountId,
    pub extension: Extension,
    pub pin: Secret,
    pub voicemail_pin: Secret,
    pub support_pin: Secret,
    /// What was recorded as greeting, and as name.
    pub(super) greetings: Vec<Audio>,
    pub(super) names: Vec<Audio>,
    /// What has ended, and its number; so many of the first ones were offered at the login.
    pub(super) news: Vec<(News, i64)>,
    pub(super) offered: usize,
}

impl Account {
    pub(super) fn new(id: AccountId, known: &Known) -> Self {
        Self {
            id,
            extension: Extension::parse(known.extension).expect("an extension"),
            pin: Secret { is_temporary: known.is_temporary, ..Secret::new(known.pin) },
            voicemail_pin: Secret::new(known.voicemail_pin),
            support_pin: Secret::new(known.support_pin),
            greetings: Vec::new(),
            names: Vec::new(),
            news: Vec::new(),
            offered: 0,
        }
    }

    /// What was heard otherwise is no news at the next login.
    pub(super) fn has_heard(&mut self, news: News, of: i64) {
        if let Some(at) = self.news.iter().position(|known| *known == (news, of)) {
            self.news.remove(at);
            self.offered -= usize::from(at < self.offered);
        }
    }
}

impl Secret {
    fn new(digits: &str) -> Self {
        let digits = digits.to_owned();
        Self {
            before: vec![digits.clone()],
            digits,
            is_temporary: false,
            resets: 0,
            own: Failures::default(),
            other: Failures::default(),
        }
    }

    /// A failure counts where no lock is on.
    pub(super) fn is_right(&mut self, now: Mono, by: By, pin: &Pin, is_enabled: bool) -> bool {
        let failures = if by == By::Own { &mut self.own } else { &mut self.other };
        if failures.is_locked(now) {
            return false;
        }
        if is_enabled && !self.digits.is_empty() && self.digits == pin.digits() {
            *failures = Failures::default();
            return true;
        }
        failures.count += 1;
        if failures.count.is_multiple_of(LOCK_AFTER) {
            failures.locked_until = Some(now + Duration::from_secs(LOCK_S));
        }
        false
    }

    pub(super) fn is_locked(&self, now: Mono) -> bool {
        self.own.is_locked(now) || self.other.is_locked(now)
    }

    pub(super) fn unlock(&mut self) {
        (self.own, self.other) = Default::default();
    }

    /// Guesses at the old one are worth nothing any more.
    pub(super) fn replace(&mut self, new: &str, is_temporary: bool) {
        self.digits = new.to_owned();
        self.before.push(new.to_owned());
        self.is_temporary = is_temporary;
        // Nobody gives oneself a temporary one.
        self.resets += i64::from(is_temporary);
        self.unlock();
    }

    /// Enough of the policy to be refused by each of its rules.
    pub(super) fn allows(&self, new: &Pin, least: usize) -> Result<(), Refusal> {
        let digits = new.digits();
        if digits.len() < least {
            return Err(Refusal::PinTooShort);
        }
        if ('0'..='9').filter(|digit| digits.contains(*digit)).count() < 3 {
            return Err(Refusal::PinTooSimple);
        }
        if self.before.iter().rev().take(PINS_REMEMBERED).any(|old| old == digits) {
            return Err(Refusal::PinUsedBefore);
        }
        Ok(())
    }
}
