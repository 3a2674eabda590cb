//! What callers set out to do, step by step.

use switchhook::access::{Permission, Permissions};
use switchhook::model::Clip;

use super::ledger::PEOPLE;
use super::random::Random;

/// One thing that a caller does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Waits until that clip begins, or gives up waiting.
    Hear(Clip),
    /// Presses keys.
    Keys(String),
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    VoicemailPin(&'static str, String),
    VoicemailPinReset(&'static str),
    AccountPin(&'static str, String),
    /// So many changes of the live recording.
    Live(u32, bool),
    Draft(u32, bool),
    Reboots(u32),
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
    pub fn draw(random: &mut Random) -> Self {
        let (extension, role, pin, _, has_temporary_pin) = random.pick(&PEOPLE);
        let allowed = Permissions::of(role.as_slice());
        Self { extension, pin, has_role: role.is_some(), allowed, has_temporary_pin }
    }

    fn top(&self) -> Clip {
        if self.has_role { "main-menu" } else { "my-menu" }
    }
}

/// A script under construction.
pub struct Script {
    pub steps: Vec<Step>,
    pub goals: Vec<Goal>,
    person: Person,
    first_question: Clip,
    done: Vec<char>,
}

impl Script {
    /// Draws a whole call. `first_question` is what this caller is asked first.
    pub fn draw(random: &mut Random, person: Person, first_question: Clip) -> Self {
        let mut script = Self { steps: Vec::new(), goals: Vec::new(), person, first_question, done: Vec::new() };
        if random.percent(4) {
            script.push(if random.percent(50) { Step::Vanish } else { Step::Stay });
            return script;
        }
        if !script.log_in(random) {
            return script;
        }
        for _ in 0..random.between(1, 3) {
            if random.percent(12) {
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

    fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn keys(&mut self, keys: impl Into<String>) -> &mut Self {
        self.steps.push(Step::Keys(keys.into()));
        self
    }

    fn hear(&mut self, clip: Clip) -> &mut Self {
        self.steps.push(Step::Hear(clip));
        self
    }

    /// Whether it is to succeed.
    fn log_in(&mut self, random: &mut Random) -> bool {
        let Person { extension, pin, .. } = self.person;
        let ask = self.first_question;
        self.hear(ask);
        match random.below(12) {
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
            self.goals.push(Goal::AccountPin(extension, new));
        }
        let top = self.person.top();
        self.hear("logged-in").hear(top);
        true
    }

    /// One thing from the top menu and back to it; `false` where the call is over with it.
    fn task(&mut self, random: &mut Random) -> bool {
        let may = |permission| self.person.allowed.has(permission);
        let mut tasks = vec!['v', 'v', 'w', 'h'];
        tasks.extend(may(Permission::RecordingsChange).then_some(['r', 'r', 'b']).into_iter().flatten());
        tasks.extend(may(Permission::UsersManage).then_some('u'));
        tasks.extend(may(Permission::RebootRun).then_some('m'));
        tasks.extend(self.person.has_role.then_some('d'));
        // Twice would be answered otherwise: a third wrong key ends the call, a reboot may be under way.
        tasks.retain(|task| !matches!(task, 'd' | 'm') || !self.done.contains(task));
        let task = random.pick(&tasks);
        self.done.push(task);
        match task {
            'v' => self.voicemail_pin(random),
            'r' => return self.record(random),
            'b' => self.browse(random),
            'u' => self.reset(random),
            'm' => return self.reboot(random),
            'd' => self.denied(random),
            'h' => {
                let frames = random.between(80, 12_000);
                self.push(Step::Press('0', frames));
                let top = self.person.top();
                self.hear("menu-help").hear(top);
            }
            _ => {
                self.wander(random);
                return false;
            }
        }
        true
    }

    fn voicemail_pin(&mut self, random: &mut Random) {
        if self.person.has_role {
            self.keys("1").hear("my-menu");
        }
        self.keys("1").hear("enter-new-voicemail-pin");
        let new = random_pin(random, 6);
        match random.below(6) {
            0 => {
                self.keys(format!("{new}#")).hear("enter-again").keys("1#").hear("pins-differ");
                self.hear("enter-new-voicemail-pin").keys("*");
            }
            1 => {
                self.keys("123#").hear("enter-again").keys("123#").hear("pin-too-short");
                self.hear("enter-new-voicemail-pin").keys("*");
            }
            2 => {
                self.keys("111111#").hear("enter-again").keys("111111#").hear("pin-too-simple");
                self.hear("enter-new-voicemail-pin").keys("*");
            }
            3 => {
                self.keys(format!("{new}#")).hear("enter-again").keys("*").hear("enter-new-voicemail-pin").keys("*");
            }
            _ => {
                self.keys(format!("{new}#")).hear("enter-again").keys(format!("{new}#")).hear("voicemail-pin-changed");
                let extension = self.person.extension;
                self.goals.retain(|goal| !matches!(goal, Goal::VoicemailPin(..)));
                self.goals.push(Goal::VoicemailPin(extension, new));
            }
        }
        self.hear("my-menu");
        if self.person.has_role {
            self.keys("*").hear("main-menu");
        }
    }

    fn open_recording(&mut self, number: u32) {
        self.keys("2").hear("recordings-enter-number").keys(format!("{number}#")).hear("recording-menu");
    }

    /// `false` where the caller hangs up in the middle.
    fn record(&mut self, random: &mut Random) -> bool {
        let number = random.between(1, 5) as u32;
        let is_fresh = !self.goals.iter().any(|goal| matches!(goal, Goal::Live(n, _) if *n == number));
        self.open_recording(number);
        self.keys("2");
        if random.percent(15) {
            // The line goes down in the middle of the first take.
            self.hear("beep");
            self.push(Step::Wait(400));
            self.push(Step::Talk(random.between(1000, 2500)));
            self.push(if random.percent(50) { Step::HangUp } else { Step::Vanish });
            self.drafts(number, true);
            return false;
        }
        self.take(random);
        while random.percent(25) {
            self.keys("3");
            self.take(random);
        }
        if random.percent(25) {
            self.keys("1").hear("review-menu");
        }
        match random.below(8) {
            0 | 1 => {
                self.push(Step::HangUp);
                self.drafts(number, true);
                return false;
            }
            2 => {
                self.keys("*").hear("recording-discarded").hear("recording-menu");
                self.drafts(number, false);
            }
            3 => {
                self.keys("3").hear("beep");
                self.push(Step::Talk(random.between(1000, 2500)));
                self.push(if random.percent(50) { Step::HangUp } else { Step::Vanish });
                self.drafts(number, true);
                return false;
            }
            _ => {
                self.keys("2").hear("recording-saved").hear("recording-menu");
                if is_fresh && random.percent(40) {
                    self.keys(random.pick(&["3", "4"])).hear("recording-restored").hear("recording-menu");
                    self.goals.push(Goal::Live(number, false));
                } else {
                    self.goals.retain(|goal| !matches!(goal, Goal::Live(n, _) if *n == number));
                    self.goals.push(Goal::Live(number, true));
                }
            }
        }
        self.keys("*").hear("recordings-enter-number").keys("*").hear("main-menu");
        true
    }

    fn drafts(&mut self, number: u32, is_there: bool) {
        self.goals.retain(|goal| !matches!(goal, Goal::Draft(n, _) if *n == number));
        self.goals.push(Goal::Draft(number, is_there));
    }

    /// From the beep to the review.
    fn take(&mut self, random: &mut Random) {
        self.hear("beep");
        self.push(Step::Wait(400));
        self.push(Step::Talk(random.between(900, 2500)));
        if random.percent(80) {
            self.keys("#");
        }
        self.hear("review-menu");
    }

    fn browse(&mut self, random: &mut Random) {
        self.keys("2").hear("recordings-enter-number");
        if random.percent(50) {
            self.keys("#").hear("list-menu").keys("#").hear("list-menu").keys("1");
        } else {
            self.keys("77#").hear("recording-unknown").hear("recordings-enter-number").keys("3#");
        }
        self.hear("recording-menu").keys(random.pick(&["1", "5"])).hear("recording-menu");
        self.keys("*").hear("recordings-enter-number").keys("*").hear("main-menu");
    }

    fn reset(&mut self, random: &mut Random) {
        let (other, role, ..) = random.pick(&PEOPLE);
        self.keys("3").hear("users-enter-extension").keys(format!("{other}#")).hear("user-menu").keys("1");
        if self.person.allowed.covers(Permissions::of(role.as_slice())) {
            self.hear("voicemail-pin-reset").hear("temporary-pin-is").hear("temporary-pin-menu");
            self.keys("1").hear("temporary-pin-is").hear("temporary-pin-menu").keys("#");
            self.goals.retain(|goal| !matches!(goal, Goal::VoicemailPin(who, _) if *who == other));
            self.goals.push(Goal::VoicemailPinReset(other));
        } else {
            self.hear("not-allowed-for-this-account");
        }
        self.hear("user-menu").keys("*").hear("users-enter-extension").keys("*").hear("main-menu");
    }

    /// `false` where the reboot ends the call.
    fn reboot(&mut self, random: &mut Random) -> bool {
        let pin = self.person.pin;
        self.keys("6").hear("maintenance-menu").keys("3").hear("reboot-menu");
        match random.below(5) {
            0 => {
                self.keys("1").hear("confirm-with-pin").keys(format!("{pin}#")).hear("reboot-in");
                self.hear("press-star-to-cancel");
                self.push(Step::Wait(random.between(0, 6000)));
                self.keys("*").hear("reboot-cancelled").hear("reboot-menu").keys("*");
            }
            1 => {
                self.keys("1").hear("confirm-with-pin").keys(format!("{pin}#")).hear("reboot-in");
                self.goals.push(Goal::Reboots(1));
                self.hear("reboot-started").hear("goodbye").push(Step::Stay);
                return false;
            }
            2 => {
                self.keys("2").hear("confirm-with-pin").keys(format!("{pin}#")).hear("reboot-waiting");
                self.hear("reboot-menu").keys("3").hear("reboot-cancelled").hear("reboot-menu").keys("*");
            }
            3 => {
                self.keys("1").hear("confirm-with-pin").keys("11111111#").hear("pin-wrong").hear("confirm-with-pin");
                self.keys("4711#").hear("nothing-changed").hear("reboot-menu").keys("*");
            }
            _ => {
                self.keys("3").hear("reboot-none-waiting").hear("reboot-menu").keys("*");
            }
        }
        self.hear("maintenance-menu").keys("*").hear("main-menu");
        true
    }

    /// A key that exists and is not for this caller.
    fn denied(&mut self, random: &mut Random) {
        let keys = [
            ('2', Permissions::only(Permission::RecordingsChange)),
            ('3', Permissions::only(Permission::UsersManage)),
            ('4', Permissions::only(Permission::AttendantsManage)),
            ('5', Permissions::only(Permission::NetworkManage)),
            ('6', Permissions::MAINTENANCE),
            ('7', Permissions::only(Permission::RolesAssign)),
        ];
        let lacking: Vec<char> =
            keys.into_iter().filter(|(_, needs)| !self.person.allowed.any(*needs)).map(|(key, _)| key).collect();
        let key = if lacking.is_empty() { '9' } else { random.pick(&lacking) };
        self.keys(key.to_string()).hear("invalid-key").hear("main-menu");
    }

    fn wander(&mut self, random: &mut Random) {
        // Nobody knows what comes of it.
        self.goals.clear();
        for _ in 0..random.between(5, 70) {
            let key = random.pick(&['0', '1', '2', '3', '4', '5', '6', '7', '1', '2', '3', '#', '#', '*']);
            self.keys(key.to_string());
            match random.below(8) {
                0 => self.push(Step::Wait(random.between(100, 9000))),
                1 => self.push(Step::Talk(random.between(100, 1500))),
                2 => self.push(Step::Wait(random.between(100, 1500))),
                _ => {}
            }
        }
        let end = random.pick(&[Step::HangUp, Step::Vanish, Step::Stay]);
        self.push(end);
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
