//! What the caller does with the phone, step by step.

use std::time::Duration;

use switchhook::model::{Clip, Mono};

use super::super::handset::KeyWay;
use super::super::script::{Hold, Step};
use super::{DEAD_LINE, KEYS_AHEAD_MAX, LEVELS_MAX, MEETING_MAX, PATIENCE, Phone, State};

impl Phone {
    /// What the caller does in these 20 ms.
    pub(super) fn live(&mut self, now: Mono) {
        let since = self.heard_anything.max(self.up_since.unwrap_or(now));
        if now.since(since) >= DEAD_LINE {
            self.keys.clear();
            self.step_ends = None;
            self.steps = [Step::HangUp].into();
        }
        self.send_infos(now);
        if self.is_reoffering || self.handset.is_pressing() {
            return;
        }
        if !self.keys.is_empty() {
            if now >= self.next_key && self.keys_ahead < KEYS_AHEAD_MAX {
                self.keys_ahead += 1;
                self.press_next(now);
            }
            return;
        }
        while let Some(step) = self.steps.front().cloned() {
            let begins = self.step_ends.is_none();
            if !self.go_through(now, &step, begins) {
                return;
            }
            self.steps.pop_front();
            self.step_ends = None;
            self.is_satisfied = self.steps.is_empty() && self.missed.is_none();
            if self.is_reoffering || !self.keys.is_empty() || self.handset.is_pressing() || self.state != State::Up {
                return;
            }
        }
    }

    /// Whether the step is done.
    fn go_through(&mut self, now: Mono, step: &Step, begins: bool) -> bool {
        let ends = *self.step_ends.get_or_insert(now + step.duration());
        match step {
            Step::Hear(clip) => self.go_on_hearing(now, &[*clip], ends),
            Step::HearAny(clips) => self.go_on_hearing(now, clips, ends),
            Step::When(clip, steps) => {
                if self.listener.waited_for == Some(*clip) {
                    // What is done now is this step's rest, then the others.
                    self.steps.pop_front();
                    let rest = std::mem::take(&mut self.steps);
                    self.steps = std::iter::once(Step::Wait(0)).chain(steps.iter().cloned()).chain(rest).collect();
                }
                true
            }
            Step::Keys(keys) => self.start_keying(keys.clone()),
            Step::KeysUnless(clips, _) if self.listener.has_heard(clips) => true,
            Step::KeysUnless(_, keys) => self.start_keying((*keys).to_owned()),
            Step::KeyChange => {
                let number = self.listener.last_change().unwrap_or_else(|| "1".to_owned());
                self.start_keying(format!("{number}#"))
            }
            Step::UpTo(top) => self.go_up(now, top, begins),
            Step::Meet => {
                self.meet(begins);
                let arrived = self.meeting.as_ref().map_or(u32::MAX, |meeting| meeting.0.get());
                let goes_on = arrived >= 2 * self.meetings || now >= ends;
                if goes_on {
                    self.listener.has_met();
                }
                goes_on
            }
            Step::Press(..) if now < self.next_key => false,
            Step::Press(key, ms) => {
                self.listener.forget();
                self.story.push(format!("holds {key} for {ms} ms"));
                self.press(now, *key, (ms / 20) as u32);
                true
            }
            Step::Wait(_) => now >= ends,
            Step::Talk(_) => {
                self.handset.is_talking = now < ends;
                now >= ends
            }
            Step::Hold(..) if self.signals.is_busy() => {
                // What is sent later must not overtake an INFO: it would be refused by its number.
                if begins {
                    self.step_ends = None;
                }
                false
            }
            Step::Hold(hold, _) => {
                if begins {
                    self.reoffer(now, *hold, true);
                    return false;
                }
                if now >= ends && self.is_held {
                    self.reoffer(now, *hold, false);
                }
                now >= ends
            }
            Step::HangUp => {
                self.story.push("hangs up".into());
                self.state = State::Over;
                self.signals.request(now, "BYE", None);
                true
            }
            Step::Vanish => {
                self.story.push("is gone".into());
                self.has_vanished = true;
                true
            }
            Step::Stay => false,
        }
    }

    /// Whether one of these was heard, or is given up.
    fn go_on_hearing(&mut self, now: Mono, clips: &[Clip], ends: Mono) -> bool {
        if self.listener.take(clips) {
            self.next_key = now + Duration::from_millis(self.random.below(400));
            return true;
        }
        let is_needed = clips.contains(&"beep") || clips.contains(&"review-menu");
        if !self.traits.is_patient && !is_needed {
            return true;
        }
        if now >= ends {
            self.missed = self.missed.or(clips.first().copied());
            self.story.push(format!("does not hear {clips:?}"));
        }
        now >= ends
    }

    fn start_keying(&mut self, keys: String) -> bool {
        self.listener.forget();
        self.story.push(format!("keys {keys}"));
        self.keys = keys.chars().collect();
        true
    }

    /// Whether the top is reached, or is given up.
    fn go_up(&mut self, now: Mono, top: Clip, begins: bool) -> bool {
        if begins {
            self.levels = 0;
        }
        let gives_up = self.step_ends.is_some_and(|ends| now >= ends) || self.levels > LEVELS_MAX;
        match self.listener.place {
            Some(place) if place == top => {
                self.listener.forget();
                self.next_key = now + Duration::from_millis(self.random.below(400));
                true
            }
            Some(_) if !gives_up => {
                self.levels += 1;
                // From here on the next place is waited for as long.
                self.step_ends = Some(now + PATIENCE);
                self.start_keying("*".to_owned());
                false
            }
            None if !gives_up => false,
            Some(_) | None => {
                self.missed = self.missed.or(Some(top));
                self.story.push(format!("does not come up to {top}"));
                true
            }
        }
    }

    fn meet(&mut self, begins: bool) {
        if let (true, Some(meeting)) = (begins, &self.meeting) {
            self.meetings += 1;
            meeting.0.set(meeting.0.get() + 1);
            self.story.push("waits for the other".into());
        }
    }

    fn reoffer(&mut self, now: Mono, hold: Hold, begins: bool) {
        self.hold = Some((hold, begins));
        self.is_reoffering = true;
        let offer = (hold != Hold::LateOffer).then(|| self.describe(self.direction(hold, begins)));
        self.signals.request(now, "INVITE", offer.as_deref().map(|sdp| ("application/sdp", sdp)));
    }

    fn press_next(&mut self, now: Mono) {
        let Some(key) = self.keys.pop_front() else { return };
        let frames = self.random.between(2, 14) as u32;
        self.press(now, key, frames);
    }

    fn press(&mut self, now: Mono, key: char, frames: u32) {
        let pause = self.random.between(60, if self.traits.is_patient { 300 } else { 140 });
        self.next_key = now + Duration::from_millis(u64::from(frames) * 20 + 60 + pause);
        self.handset.press(key, frames);
        self.listener.place = None;
        if self.traits.way == KeyWay::Info {
            self.info_waiting.push_back(self.handset.presses.len() - 1);
        }
    }

    /// One INFO at a time.
    fn send_infos(&mut self, now: Mono) {
        if self.signals.is_busy() {
            return;
        }
        let Some(press) = self.info_waiting.pop_front() else { return };
        let key = self.handset.presses[press];
        let relay = self.random.percent(50);
        let body = if relay { format!("Signal={key}\r\nDuration=160\r\n") } else { key.to_string() };
        let kind = if relay { "application/dtmf-relay" } else { "application/dtmf" };
        let branch = self.signals.request(now, "INFO", Some((kind, &body)));
        self.infos.push((branch, press));
    }
}

impl Step {
    fn duration(&self) -> Duration {
        match self {
            Step::Hear(_) | Step::HearAny(_) | Step::UpTo(_) => PATIENCE,
            Step::Meet => MEETING_MAX,
            Step::Wait(ms) | Step::Talk(ms) | Step::Hold(_, ms) => Duration::from_millis(*ms),
            Step::When(..)
            | Step::Keys(_)
            | Step::KeysUnless(..)
            | Step::KeyChange
            | Step::Press(..)
            | Step::HangUp
            | Step::Vanish
            | Step::Stay => Duration::ZERO,
        }
    }
}
