//! System recordings.

use super::{Script, Step};
use crate::world::random::Random;

impl Script {
    pub fn open_recording(&mut self, number: u32) -> &mut Self {
        self.keys("2").hear("recordings-enter-number").keys(format!("{number}#")).hear("recording-menu")
    }

    /// `false` where the caller hangs up in the middle.
    pub(super) fn record(&mut self, random: &mut Random) -> bool {
        let number = random.between(1, 5) as u32;
        let is_fresh = !self.goals.iter().any(|goal| goal.about == about_live(number));
        self.open_recording(number).keys("2");
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
            self.keys("3").take(random);
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
                let is_changed = !(is_fresh && random.percent(40));
                if !is_changed {
                    self.keys(random.pick(&["3", "4"])).hear("recording-restored").hear("recording-menu");
                }
                self.goal(about_live(number), move |ledger| (ledger.live(number) != 0) == is_changed);
            }
        }
        self.up();
        true
    }

    fn drafts(&mut self, number: u32, is_there: bool) {
        self.goal(format!("draft of {number}"), move |ledger| ledger.has_draft(number) == is_there);
    }

    /// From the beep to the review.
    pub fn take(&mut self, random: &mut Random) -> &mut Self {
        self.hear("beep");
        self.push(Step::Wait(400));
        self.push(Step::Talk(random.between(900, 2500)));
        if random.percent(80) {
            self.keys("#");
        }
        self.hear("review-menu")
    }

    pub(super) fn browse(&mut self, random: &mut Random) -> bool {
        self.keys("2").hear("recordings-enter-number");
        if random.percent(50) {
            self.keys("#").hear("list-menu").keys("#").hear("list-menu").keys("1");
        } else {
            self.keys("77#").hear("recording-unknown").hear("recordings-enter-number").keys("3#");
        }
        self.hear("recording-menu").keys(random.pick(&["1", "5"])).hear("recording-menu");
        self.up();
        true
    }
}

fn about_live(number: u32) -> String {
    format!("recording {number}")
}
