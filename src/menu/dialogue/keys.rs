//! What keys mean everywhere: type-ahead, barge-in, menus, entries.

use crate::access::Permissions;
use crate::menu::Output;
use crate::menu::speech::Words;
use crate::menu::tree::{Answer, Function, Goes, Menu, Place, Question};
use crate::model::Key;

use super::recorder::Stage;
use super::{Dialogue, Phase};

impl Dialogue {
    pub(super) fn key_down(&mut self, key: Key) {
        self.held = true;
        self.silences = 0;
        // A goodbye and the wait for a recording that the time limit ended keep their timers.
        if let Phase::Listening = self.phase {
            self.timer = None;
        }
        self.ahead.push(key);
    }

    /// Gives waiting keys to whatever can take them, in order.
    pub(super) fn take_waiting_keys(&mut self) {
        while let Some(key) = self.ahead.first() {
            match self.phase {
                Phase::Ringing | Phase::Asking(_) | Phase::Recording(Stage::Ending, _) => return,
                Phase::Prompting(_) if self.is_late_pound(key) => {
                    self.ahead.pop();
                }
                Phase::Prompting(_) => {
                    self.outputs.push_back(Output::StopPlaying);
                    self.phase = Phase::Listening;
                }
                Phase::Announcing(..) if key == Key::Pound => {
                    self.ahead.pop();
                }
                Phase::Announcing(_, after) => {
                    self.outputs.push_back(Output::StopPlaying);
                    after(self, false);
                }
                Phase::Listening => {
                    self.ahead.pop();
                    self.timer = None;
                    self.key_taken(key);
                }
                Phase::Recording(stage, _) => {
                    self.ahead.pop();
                    self.key_while_recording(stage, key);
                }
                Phase::Closing(_) | Phase::Over => self.ahead.clear(),
            }
        }
    }

    /// Whether a key waits that this place would take; a `#` that means nothing here is dropped.
    pub(super) fn key_is_waiting(&mut self) -> bool {
        while self.ahead.first().is_some_and(|key| self.is_late_pound(key)) {
            self.ahead.pop();
        }
        !self.ahead.is_empty()
    }

    /// A `#` in a menu that has no use for it came late after an entry: it does not even stop the prompt.
    fn is_late_pound(&self, key: Key) -> bool {
        match self.place {
            Place::Menu(menu) => key == Key::Pound && menu.choice(key).is_none() && menu.other_keys.is_none(),
            Place::Question(_) => false,
        }
    }

    fn key_taken(&mut self, key: Key) {
        match self.place {
            Place::Menu(menu) => self.key_in_menu(menu, key),
            Place::Question(question) => self.key_in_entry(question, key),
        }
    }

    fn key_in_menu(&mut self, menu: &'static Menu, key: Key) {
        let granted = self.account.map_or(Permissions::default(), |account| account.left);
        let choice = menu.choice(key).filter(|choice| choice.exists(self.installed()));
        match (choice, menu.other_keys, key) {
            (Some(choice), ..) if choice.allowed(granted) => {
                self.wrong_keys = 0;
                self.follow(choice.goes);
            }
            (Some(choice), ..) => {
                self.note_denied(choice.name);
                self.invalid_key();
            }
            (None, Some(goes), _) => {
                self.wrong_keys = 0;
                self.follow(goes);
            }
            (None, None, Key::Pound) => {}
            (None, None, Key::Digit(0)) => {
                self.wrong_keys = 0;
                self.stay(if menu.help { Words::from("menu-help") } else { Words::none() });
            }
            (None, None, Key::Digit(_) | Key::Star) => self.invalid_key(),
        }
    }

    fn key_in_entry(&mut self, question: &'static Question, key: Key) {
        match key {
            Key::Digit(digit) => {
                self.wrong_keys = 0;
                self.entry.push(digit, question.digits);
            }
            Key::Star if self.entry.is_empty() => {
                self.wrong_keys = 0;
                self.follow(question.back);
            }
            Key::Star => self.entry.clear(),
            Key::Pound if self.entry.is_empty() && !question.empty => {
                self.wrong_key(Words::none());
            }
            Key::Pound => self.entered(question.answer),
        }
    }

    fn invalid_key(&mut self) {
        // What was typed after a wrong key was meant for somewhere else.
        self.ahead.clear();
        self.wrong_key(Words::from("invalid-key"));
    }

    fn wrong_key(&mut self, words: Words) {
        self.wrong_keys += 1;
        if self.wrong_keys >= self.limits.wrong_keys {
            self.close(Words::none());
        } else {
            self.stay(words);
        }
    }

    fn follow(&mut self, goes: Goes) {
        match goes {
            Goes::To(place) => self.go(place, Words::none()),
            Goes::Main if self.account.is_some_and(|account| account.has_role) => self.go(self.top(), Words::none()),
            Goes::Main | Goes::Goodbye => self.close(Words::none()),
            Goes::Do(function) => self.run(function),
        }
    }

    fn run(&mut self, function: Function) {
        match function {
            Function::Login(function) => self.run_login(function),
            Function::Own(function) => self.run_own(function),
            Function::Lists(function) => self.run_lists(function),
            Function::Recordings(function) => self.run_recordings(function),
            Function::Users(function) => self.run_users(function),
            Function::Attendants(function) => self.run_attendants(function),
            Function::Network(function) => self.run_network(function),
            Function::Maintenance(function) => self.run_maintenance(function),
            Function::Roles(function) => self.run_roles(function),
        }
    }

    fn entered(&mut self, answer: Answer) {
        let entry = std::mem::take(&mut self.entry);
        match answer {
            Answer::LoginExtension => self.login_extension(&entry),
            Answer::LoginPin => self.login_pin(&entry),
            Answer::CurrentPin => self.current_pin(&entry),
            Answer::NewPin => self.new_pin(&entry),
            Answer::PinAgain => self.pin_again(&entry),
            Answer::ForwardNumber => self.forward_number(&entry),
            Answer::RecordingNumber => self.recording_number(&entry),
            Answer::UserExtension => self.user_extension(&entry),
            Answer::ItemNumber => self.item_number(&entry),
            Answer::Hours => self.mode_hours(&entry),
            Answer::AttendantRecording => self.attendant_recording(&entry),
            Answer::Member => self.group_member(&entry),
            Answer::SupportExtension => self.support_extension(&entry),
            Answer::SupportPin => self.support_pin(&entry),
            Answer::RoleExtension => self.role_extension(&entry),
            Answer::ChangeNumber => self.change_number(&entry),
            Answer::Confirm => self.confirm_pin(&entry),
        }
    }
}
