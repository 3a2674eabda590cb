//! Two callers at once on the same thing. Whoever is first, nothing is lost: each hears that it was done, or why not,
//! and the store is as the two have heard.

mod own;
mod people;
mod recordings;
mod roles;
mod system;

use std::fmt;

use switchhook::access::{Action, Refusal, Reply};
use switchhook::model::Clip;

use super::ledger::Ledger;
use super::random::Random;
use super::script::{Script, Step};

/// A story of two callers, told anew by each seed.
pub struct Rivalry {
    pub name: &'static str,
    /// What is done before they call.
    pub before: fn(&mut Ledger),
    pub callers: [Rival; 2],
    /// What must be so in the end.
    pub after: fn(&Outcome<'_>),
}

/// One of the two.
pub struct Rival {
    pub extension: &'static str,
    /// The name of what is done last, by which it is told who was first.
    pub deed: &'static str,
    pub does: fn(&mut Script, &mut Random),
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Rivalry> {
    let files: [&'static [Rivalry]; 5] =
        [recordings::RIVALRIES, own::RIVALRIES, people::RIVALRIES, roles::RIVALRIES, system::RIVALRIES];
    files.into_iter().flatten()
}

/// Something that the store was asked, and what came of it.
pub struct Applied {
    pub phone: usize,
    pub name: &'static str,
    /// Whether it was only asked whether it could be done.
    pub is_check: bool,
    pub refusal: Option<Refusal>,
}

impl Applied {
    pub fn new(phone: usize, action: &Action, reply: &Reply) -> Self {
        let refusal = match reply {
            Reply::Refused(refusal) => Some(*refusal),
            _ => None,
        };
        Self { phone, name: action.name(), is_check: matches!(action, Action::Check(_)), refusal }
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = if self.is_check { "check " } else { "" };
        write!(f, "{check}{}", self.name)?;
        self.refusal.map_or(Ok(()), |refusal| write!(f, " {refusal:?}"))
    }
}

/// What has come of a rivalry.
pub struct Outcome<'a> {
    pub rivalry: &'a Rivalry,
    pub ledger: &'a Ledger,
    /// From the last time on that one has waited for the other.
    pub heard: [&'a [Clip]; 2],
    pub applied: &'a [Applied],
}

impl Outcome<'_> {
    /// Whose last deed came to the store first.
    pub fn first(&self) -> usize {
        let is_deed = |applied: &Applied, who: usize| {
            applied.phone == who && !applied.is_check && applied.name == self.rivalry.callers[who].deed
        };
        let last = |who| self.applied.iter().rposition(|applied| is_deed(applied, who));
        let deeds = (0..2).filter_map(|who| Some((last(who)?, who)));
        deeds.min().expect("one of them does it").1
    }

    /// How often something was done, whoever has done it.
    pub fn done(&self, name: &str) -> usize {
        let is_done = |applied: &&Applied| applied.name == name && !applied.is_check && applied.refusal.is_none();
        self.applied.iter().filter(is_done).count()
    }

    pub fn heard(&self, who: usize, clip: Clip) -> bool {
        self.heard[who].contains(&clip)
    }

    /// Which one of these was heard, and no other.
    pub fn told(&self, who: usize, either: &[Clip]) -> Clip {
        let told: Vec<Clip> = either.iter().copied().filter(|clip| self.heard(who, clip)).collect();
        assert_eq!(told.len(), 1, "caller {who} was told {told:?}, of {either:?}");
        told[0]
    }

    /// Both have done it.
    pub fn both(&self, done: [Clip; 2]) {
        for (who, clip) in done.into_iter().enumerate() {
            assert!(self.heard(who, clip), "caller {who} did not hear {clip}");
        }
    }

    /// Whoever was first has done it, and the other was told why not.
    pub fn one(&self, done: Clip, refused: Clip) {
        let first = self.first();
        assert_eq!(self.told(first, &[done, refused]), done, "caller {first} was first");
        assert_eq!(self.told(1 - first, &[done, refused]), refused, "caller {} was second", 1 - first);
    }

    /// So many changes of that name were made.
    pub fn changes(&self, action: &str, count: usize) {
        assert_eq!(self.ledger.changes_of(action).len(), count, "changes of {action}");
    }
}

/// The usual end: one of these is heard, and the line is hung up.
fn ends(script: &mut Script, either: &'static [Clip]) {
    script.hear_any(either).push(Step::Wait(2500));
    script.push(Step::HangUp);
}

fn nothing(_: &mut Ledger) {}
