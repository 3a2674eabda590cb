//! What callers set out to do, step by step.

mod maintenance;
mod own;
mod people;
mod recordings;
mod roles;
mod system;

use switchhook::access::{Permission, Permissions};
use switchhook::model::Clip;

use super::ledger::{Ledger, PEOPLE};
use super::random::Random;

/// One thing that a caller does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Waits until that clip begins, or gives up waiting.
    Hear(Clip),
    /// Waits until one of them begins.
    HearAny(&'static [Clip]),
    /// Does this too, where that clip was what the last wait ended with.
    When(Clip, Vec<Step>),
    /// Presses keys.
    Keys(String),
    /// Presses them unless one of these clips was heard, and not waited for, since the last key.
    KeysUnless(&'static [Clip], &'static str),
    /// Keys the number of the last change that was told, and `#`.
    KeyChange,
    /// Presses `*` until that place is heard.
    UpTo(Clip),
    /// Waits for the other caller to come as far.
    Meet,
    /// Does nothing, in milliseconds.
    Wait(u64),
    /// Speaks, in milliseconds.
    Talk(u64),
    /// Puts the call on hold, in milliseconds.
    Hold(Hold, u64),
    /// Holds one key down, in milliseconds.
    Press(char, u64),
    HangUp,
    /// Is gone without a word.
    Vanish,
    /// Stays until the other side ends the call.
    Stay,
}

/// How a phone says that it holds the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    SendOnly,
    Inactive,
    /// A re-INVITE without an offer: the other side's offer is answered so.
    LateOffer,
}

/// What is so when a script was heard out over good links and nothing went wrong.
pub struct Goal {
    /// What it is about; a later goal about the same takes its place.
    pub about: String,
    pub holds: Box<dyn Fn(&Ledger) -> bool>,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub extension: &'static str,
    pub pin: &'static str,
    pub has_role: bool,
    pub allowed: Permissions,
    pub has_temporary_pin: bool,
}

impl Person {
    /// The last of those who are known never calls.
    pub fn draw(random: &mut Random) -> Self {
        Self::of(random.pick(&PEOPLE[..PEOPLE.len() - 1]).extension)
    }

    pub fn of(extension: &str) -> Self {
        let known = PEOPLE.iter().find(|known| known.extension == extension).expect("a known person");
        Self {
            extension: known.extension,
            pin: known.pin,
            has_role: known.role.is_some(),
            allowed: Permissions::of(known.role.as_slice()),
            has_temporary_pin: known.is_temporary,
        }
    }

    pub fn top(&self) -> Clip {
        if self.has_role { "main-menu" } else { "my-menu" }
    }
}

/// Something to do from the top menu and back to it; `false` where the call is over with it.
type Doing = fn(&mut Script, &mut Random) -> bool;

/// What someone may set out to do.
struct Task {
    /// Any of these is needed.
    needs: Permissions,
    /// How likely it is, beside the others.
    weight: u64,
    /// A second time it would be answered otherwise.
    is_once: bool,
    does: Doing,
}

const fn task(needs: Permissions, weight: u64, is_once: bool, does: Doing) -> Task {
    Task { needs, weight, is_once, does }
}

const fn only(permission: Permission) -> Permissions {
    Permissions::only(permission)
}

static TASKS: [Task; 32] = [
    task(Permissions::OWN, 2, false, Script::voicemail_pin),
    task(Permissions::OWN, 3, false, Script::forwarding),
    task(Permissions::OWN, 2, true, Script::dnd),
    task(Permissions::OWN, 3, true, Script::greeting),
    task(Permissions::OWN, 1, true, Script::account_pin),
    task(Permissions::OWN, 1, true, Script::own_name),
    task(Permissions::OWN, 1, false, Script::support_pin),
    task(Permissions::OWN, 1, true, Script::language),
    task(Permissions::OWN, 1, false, Script::all_settings),
    task(Permissions::OWN, 1, false, Script::help),
    task(Permissions::OWN, 2, false, Script::wander),
    task(Permissions::OWN, 1, true, Script::keep_silent),
    task(Permissions::ANY_ROLE, 2, true, Script::denied),
    task(only(Permission::RecordingsChange), 4, false, Script::record),
    task(only(Permission::RecordingsChange), 2, false, Script::browse),
    task(only(Permission::UsersManage), 2, false, Script::reset),
    task(only(Permission::UsersManage), 2, true, Script::disable_and_enable),
    task(only(Permission::UsersManage), 2, true, Script::handsets),
    task(only(Permission::UsersManage), 1, true, Script::user_forwarding),
    task(only(Permission::UsersManage), 1, true, Script::user_name),
    task(only(Permission::UsersManage), 2, true, Script::add_and_delete),
    task(only(Permission::AttendantsManage), 3, false, Script::mode),
    task(only(Permission::AttendantsManage), 1, true, Script::attendant),
    task(only(Permission::AttendantsManage), 2, true, Script::group),
    task(only(Permission::AttendantsManage), 1, true, Script::call_center),
    task(only(Permission::NetworkManage), 4, true, Script::trunks),
    task(only(Permission::BackupRun), 2, true, Script::backup),
    task(only(Permission::RebootRun), 3, true, Script::reboot),
    task(only(Permission::LoggingManage), 2, false, Script::logging),
    task(only(Permission::SupportVerify), 2, true, Script::verify),
    task(only(Permission::RolesAssign), 8, true, Script::roles),
    task(Permissions::ANY_ROLE, 4, true, Script::undo),
];

/// A script under construction.
pub struct Script {
    pub steps: Vec<Step>,
    pub goals: Vec<Goal>,
    pub person: Person,
    pub first_question: Clip,
    /// The PIN with which this caller confirms, as it is now.
    pin: String,
    wrong_pins: u32,
    done: Vec<usize>,
}

impl Script {
    /// A script with nothing in it. `first_question` is what this caller is asked first.
    pub fn new(person: Person, first_question: Clip) -> Self {
        let pin = person.pin.to_owned();
        Self { steps: Vec::new(), goals: Vec::new(), person, first_question, pin, wrong_pins: 0, done: Vec::new() }
    }

    /// Draws a whole call.
    pub fn draw(random: &mut Random, person: Person, first_question: Clip) -> Self {
        let mut script = Self::new(person, first_question);
        if random.percent(4) {
            script.push(if random.percent(50) { Step::Vanish } else { Step::Stay });
            return script;
        }
        if !script.log_in(random) {
            return script;
        }
        for _ in 0..random.between(1, 4) {
            if random.percent(8) {
                let how = random.pick(&[Hold::SendOnly, Hold::Inactive, Hold::LateOffer]);
                script.push(Step::Hold(how, random.between(200, 6000)));
            }
            if !script.task(random) {
                return script;
            }
        }
        match random.below(6) {
            0 => script.push(Step::Vanish),
            1 => script.push(Step::Stay),
            2 => script.keys("*").push(Step::Stay),
            _ => script.push(Step::HangUp),
        }
        script
    }

    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub fn keys(&mut self, keys: impl Into<String>) -> &mut Self {
        self.steps.push(Step::Keys(keys.into()));
        self
    }

    pub fn hear(&mut self, clip: Clip) -> &mut Self {
        self.steps.push(Step::Hear(clip));
        self
    }

    pub fn hear_any(&mut self, clips: &'static [Clip]) -> &mut Self {
        self.steps.push(Step::HearAny(clips));
        self
    }

    /// Comes to a point of which the other caller is not to be ahead.
    pub fn meet(&mut self) -> &mut Self {
        self.steps.push(Step::Meet);
        self
    }

    /// Keys one's own PIN, as where something is confirmed.
    pub fn key_pin(&mut self) -> &mut Self {
        let pin = self.pin.clone();
        self.keys(format!("{pin}#"))
    }

    /// Goes back to the top menu, from wherever.
    pub fn up(&mut self) {
        let top = self.person.top();
        self.push(Step::UpTo(top));
    }

    /// From the top menu to one's own settings.
    pub fn my_menu(&mut self) -> &mut Self {
        if self.person.has_role {
            self.keys("1").hear("my-menu");
        }
        self
    }

    /// Sets what must be so in the end.
    fn goal(&mut self, about: impl Into<String>, holds: impl Fn(&Ledger) -> bool + 'static) {
        let about = about.into();
        self.goals.retain(|goal| goal.about != about);
        self.goals.push(Goal { about, holds: Box::new(holds) });
    }

    /// Logs in at the first try.
    pub fn log_in_plainly(&mut self) -> &mut Self {
        let Person { extension, pin, .. } = self.person;
        let (ask, top) = (self.first_question, self.person.top());
        self.hear(ask).keys(format!("{extension}#")).hear("enter-pin").keys(format!("{pin}#"));
        self.hear("logged-in").hear(top)
    }

    /// Whether it is to succeed.
    fn log_in(&mut self, random: &mut Random) -> bool {
        let Person { extension, pin, .. } = self.person;
        let ask = self.first_question;
        self.hear(ask);
        match random.below(14) {
            0 => {
                self.keys(format!("{extension}#")).hear("enter-pin").keys("11112222#").hear("login-failed").hear(ask);
            }
            1 => {
                self.keys("4711#").hear("enter-pin").keys(format!("{pin}#")).hear("login-failed").hear(ask);
            }
            2 => {
                for _ in 0..3 {
                    self.keys(format!("{extension}#")).hear("enter-pin").keys("999#").hear("login-failed");
                }
                self.hear("goodbye").push(Step::Stay);
                return false;
            }
            3 => {
                let choice = random.pick(&["1", "2", "3", "4", "*"]);
                self.keys("*").hear("language-menu").keys(choice).hear(ask);
            }
            _ => {}
        }
        // Now and then a slip, cleared; or the extension that the phone has named.
        let slip = if random.percent(10) { "99*" } else { "" };
        if random.below(12) != 0 || ask != "enter-extension-or-pound" {
            self.keys(format!("{slip}{extension}#"));
        } else {
            self.keys("#");
        }
        self.hear("enter-pin").keys(format!("{slip}{pin}#"));
        if self.person.has_temporary_pin {
            let new = random_pin(random, 8);
            self.hear("pin-must-change").hear("enter-new-pin").keys(format!("{new}#")).hear("enter-again");
            self.keys(format!("{new}#")).hear("account-pin-changed");
            self.new_account_pin(new);
        }
        let top = self.person.top();
        self.hear("logged-in").hear(top);
        true
    }

    /// Whether a wrong PIN or two are to be keyed: five in a row would lock the account.
    fn may_slip(&mut self) -> bool {
        self.wrong_pins += 1;
        self.wrong_pins <= 2
    }

    /// From now on it is confirmed with this one.
    fn new_account_pin(&mut self, new: String) {
        let extension = self.person.extension;
        self.pin.clone_from(&new);
        self.goal(format!("PIN of {extension}"), move |ledger| ledger.account(extension).pin.digits == new);
    }

    /// One thing from the top menu and back to it; `false` where the call is over with it.
    fn task(&mut self, random: &mut Random) -> bool {
        let may = |at: &usize| {
            let task = &TASKS[*at];
            self.person.allowed.any(task.needs) && !(task.is_once && self.done.contains(at))
        };
        let tasks: Vec<usize> = (0..TASKS.len()).filter(may).collect();
        let weighed: Vec<usize> =
            tasks.iter().flat_map(|at| std::iter::repeat_n(*at, TASKS[*at].weight as usize)).collect();
        let at = random.pick(&weighed);
        self.done.push(at);
        (TASKS[at].does)(self, random)
    }

    fn help(&mut self, random: &mut Random) -> bool {
        let frames = random.between(80, 12_000);
        self.push(Step::Press('0', frames));
        let top = self.person.top();
        self.hear("menu-help").hear(top);
        true
    }

    /// A key that exists and is not for this caller; or three wrong ones, which end the call.
    fn denied(&mut self, random: &mut Random) -> bool {
        let keys = [
            ('2', Permission::RecordingsChange),
            ('3', Permission::UsersManage),
            ('4', Permission::AttendantsManage),
            ('5', Permission::NetworkManage),
            ('7', Permission::RolesAssign),
        ];
        let lacking: Vec<char> =
            keys.into_iter().filter(|(_, needs)| !self.person.allowed.has(*needs)).map(|(key, _)| key).collect();
        let key = if lacking.is_empty() { '9' } else { random.pick(&lacking) };
        if random.percent(50) {
            // What is noted of it may be noted after what follows.
            self.keys(key.to_string()).push(Step::Wait(random.below(600)));
            return true;
        }
        self.keys(key.to_string()).hear("invalid-key").hear("main-menu");
        if random.percent(15) {
            self.keys("9").hear("invalid-key").hear("main-menu").keys("9").hear("goodbye").push(Step::Stay);
            return false;
        }
        true
    }

    /// Three silences end the call.
    fn keep_silent(&mut self, _: &mut Random) -> bool {
        let top = self.person.top();
        self.hear(top).hear(top).hear("goodbye").push(Step::Stay);
        false
    }

    fn wander(&mut self, random: &mut Random) -> bool {
        // Nobody knows what comes of it.
        self.goals.clear();
        for _ in 0..random.between(5, 70) {
            let key = random.pick(&[
                '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '1', '2', '3', '4', '1', '2', '#', '#', '#', '*',
            ]);
            self.keys(key.to_string());
            match random.below(8) {
                0 => self.push(Step::Wait(random.between(100, 9000))),
                1 => self.push(Step::Talk(random.between(100, 1500))),
                2 => self.push(Step::Wait(random.between(100, 1500))),
                3 => self.keys(random.pick(&["1009#", "1#", "2#", "1005#", "5551234#"])).push(Step::Wait(300)),
                4 => self.key_pin().push(Step::Wait(300)),
                _ => {}
            }
        }
        let end = random.pick(&[Step::HangUp, Step::Vanish, Step::Stay]);
        self.push(end);
        false
    }
}

/// A PIN that the policy takes.
fn random_pin(random: &mut Random, length: u64) -> String {
    loop {
        let pin = random.digits(length);
        if ('0'..='9').filter(|digit| pin.contains(*digit)).count() >= 4 {
            return pin;
        }
    }
}
