//! Logging in: site, language, extension, PIN, the greeting.

use crate::access::{Action, News, Refusal, Reply, Session};
use crate::menu::entry::Entry;
use crate::menu::speech::Words;
use crate::menu::tree::{ENTER_EXTENSION, ENTER_EXTENSION_OR_POUND, ENTER_PIN, Login, MY, Place};
use crate::menu::{Output, SiteName};
use crate::model::{Audio, Clip, Extension, Language};

use super::{Account, Dialogue, Work};

/// An extension to log in with.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    extension: Extension,
    /// It had more digits than an extension can have, so no PIN will fit it.
    overlong: bool,
}

/// What a caller hears first once logged in.
#[derive(Clone, Debug)]
pub(super) struct Greeting {
    spoken_name: Option<Audio>,
    news: Vec<News>,
}

impl Dialogue {
    pub(super) fn run_login(&mut self, function: Login) {
        match function {
            Login::AskExtension => self.ask_extension(Words::none()),
            Login::ChooseLanguage(language) => self.choose_language(language),
            Login::LeaveLanguages if self.account.is_some() => self.go(Place::Menu(&MY), Words::none()),
            Login::LeaveLanguages => self.ask_extension(Words::none()),
        }
    }

    /// What is said first of all: where there are several sites, which one this is.
    pub(super) fn welcome(&self) -> Words {
        let words = Words::from("welcome");
        match &self.caller.site {
            Some(SiteName { spoken: Some(name), .. }) => words.audio(Some(name.clone())),
            Some(SiteName { spoken: None, number }) => words.clip("site-number").digits(&number.to_string()),
            None => words,
        }
    }

    /// The languages that can be chosen.
    pub(super) fn installed(&self) -> &[Language] {
        match self.caller.languages.as_slice() {
            [] => std::slice::from_ref(&self.caller.language),
            installed => installed,
        }
    }

    /// Before the login for this call, after it for all calls to come as well.
    fn choose_language(&mut self, language: Language) {
        if self.account.is_none() {
            self.speak(language);
            return self.ask_extension(Words::none());
        }
        self.work = Work::Language(language);
        self.ask(Action::SetLanguage { language }, Place::Menu(&MY), Self::language_set);
    }

    fn language_set(&mut self, reply: &Reply) {
        match (reply, &self.work) {
            (Reply::Changed(change), Work::Language(language)) => {
                self.speak(*language);
                self.changed(Place::Menu(&MY), "language-changed", *change);
            }
            (reply, _) => self.refused(reply),
        }
    }

    /// Clips are spoken in this language from now on.
    fn speak(&mut self, language: Language) {
        if language != self.language {
            self.language = language;
            self.outputs.push_back(Output::Language(language));
        }
    }

    pub(super) fn ask_extension(&mut self, first: impl Into<Words>) {
        self.go(self.first_question(), first);
    }

    pub(super) fn first_question(&self) -> Place {
        match self.caller.extension {
            Some(_) => Place::Question(&ENTER_EXTENSION_OR_POUND),
            None => Place::Question(&ENTER_EXTENSION),
        }
    }

    pub(super) fn login_extension(&mut self, entry: &Entry) {
        let Some(extension) = entry.extension().or_else(|| self.caller.extension.clone()) else {
            return self.ask_extension(Words::none());
        };
        self.work = Work::Login(Attempt { extension, overlong: entry.overlong() });
        self.go(Place::Question(&ENTER_PIN), Words::none());
    }

    /// Whatever was keyed, the store is asked: nothing that a caller can time tells why a login fails.
    pub(super) fn login_pin(&mut self, entry: &Entry) {
        let Work::Login(attempt) = &self.work else { return self.ask_extension(Words::none()) };
        let pin = entry.pin().filter(|_| !attempt.overlong).unwrap_or_default();
        let action = Action::Login { extension: attempt.extension.clone(), pin };
        self.ask(action, self.first_question(), Self::login_replied);
    }

    fn login_replied(&mut self, reply: &Reply) {
        match reply {
            Reply::LoggedIn(session) => self.logged_in(session),
            Reply::Refused(Refusal::LoginFailed) => {
                self.failed_logins += 1;
                if self.failed_logins >= self.limits.tries_per_call {
                    self.close("login-failed");
                } else {
                    self.ask_extension("login-failed");
                }
            }
            _ => self.failed(),
        }
    }

    fn logged_in(&mut self, session: &Session) {
        let Session { id, granted, has_role, pin_resets, .. } = *session;
        self.account = Some(Account { id, granted, left: granted, has_role, pin_resets });
        if let Some(language) = session.language.filter(|language| self.installed().contains(language)) {
            self.speak(language);
        }
        let Session { spoken_name, news, .. } = session.clone();
        self.greeting = Some(Box::new(Greeting { spoken_name, news }));
        if session.must_change_pin {
            self.replace_temporary_pin();
        } else {
            self.greet(Words::none());
        }
    }

    /// Says who is logged in and what has ended since the last call, then the top menu.
    pub(super) fn greet(&mut self, first: Words) {
        let Some(greeting) = self.greeting.take() else { return self.go(self.top(), first) };
        self.work = Work::Nothing;
        let after = if greeting.news.is_empty() { Self::greeted } else { Self::news_told };
        let words = first.clip("logged-in").audio(greeting.spoken_name).clips(greeting.news.into_iter().map(news_clip));
        self.announce(words, after);
    }

    fn greeted(&mut self, _heard: bool) {
        self.go(self.top(), Words::none());
    }

    /// News that a key cut short is told again at the next login.
    fn news_told(&mut self, heard: bool) {
        if heard {
            self.tell(Action::NewsHeard);
        }
        self.go(self.top(), Words::none());
    }
}

fn news_clip(news: News) -> Clip {
    match news {
        News::RebootDone => "news-reboot-done",
        News::RebootFailed => "news-reboot-failed",
        News::RebootUnknown => "news-reboot-unknown",
        News::BackupDone => "news-backup-done",
        News::BackupFailed => "news-backup-failed",
    }
}
