//! Every branch, interrupted everywhere: hung up, left in silence, keyed wrong, refused, not answered.

use super::*;

/// Who, and the keys from the main menu to the last change of a branch; a take comes after the `#` of a recording.
const CALLS: [(&str, &str); 45] = [
    ("1005", "1730185#730185#"),
    ("1005", "2115550#1"),
    ("1005", "222"),
    ("1005", "3"),
    ("1005", "42#12"),
    ("1005", "43"),
    ("1005", "44"),
    ("1005", "5904826#730185#730185#"),
    ("1005", "61"),
    ("1005", "62#2"),
    ("1005", "7730185#730185#"),
    ("1005", "83"),
    ("1005", "9"),
    ("1002", "2##1"),
    ("1002", "22#1"),
    ("1002", "22#2#12"),
    ("1002", "22#2#3#*"),
    ("1002", "22#3"),
    ("1002", "22#4"),
    ("1002", "22#5"),
    ("1002", "34711#11#1#2"),
    ("1002", "31005#11#"),
    ("1002", "31005#2#"),
    ("1002", "31005#34"),
    ("1002", "31005#51"),
    ("1002", "31005#52#1"),
    ("1002", "31005#531"),
    ("1002", "31005#62"),
    ("1002", "31005#7#2"),
    ("1002", "31005#983517294#"),
    ("1002", "41112#"),
    ("1002", "42#12#"),
    ("1002", "435#1#"),
    ("1002", "435#21000#31002#"),
    ("1002", "443#12"),
    ("1003", "52#12"),
    ("1003", "511#274926185#"),
    ("1003", "54"),
    ("1004", "61"),
    ("1004", "63129618374#*"),
    ("1004", "64213"),
    ("1004", "651005#851730#"),
    ("1000", "711#21005#61849273#"),
    ("1000", "7331005#61849273#"),
    ("1004", "81242#29618374#"),
];

impl Caller {
    /// Presses one key in peace: what is playing is heard to its end first, and a recording that it ends is reviewed.
    fn keys(&mut self, key: char) {
        self.finishes_hearing();
        if let Some(ticket) = self.recording
            && key == '#'
        {
            self.dials("#");
            assert_eq!(self.recording, Some(ticket));
            self.take_arrives(800, None);
        } else {
            self.dials(&key.to_string());
        }
        // The prompt before a recording, and its beep.
        while self.dialogue.place() == "record" && self.playing.is_some() {
            self.finishes_hearing();
        }
    }

    /// How much was asked, but for drafts, looks at a backup or a reboot, and notes of wrong keys.
    fn requests(&self) -> usize {
        let left_out = |action: &Action| {
            let looks = matches!(action, Action::ReadBackup { .. } | Action::AskReboot);
            looks || matches!(action, Action::SaveDraft { .. } | Action::NoteDenied { .. })
        };
        self.asked.iter().filter(|action| !left_out(action)).count()
    }
}

/// Calls `then` after each key of each call.
fn at_each_key(then: impl Fn(&mut Caller, &str)) {
    for (who, keys) in CALLS {
        for end in 0..=keys.len() {
            let mut caller = Caller::logged_in(who);
            keys[..end].chars().for_each(|key| caller.keys(key));
            assert!(!caller.hung_up, "{who} {}", &keys[..end]);
            then(&mut caller, &format!("{who} {}", &keys[..end]));
        }
    }
}

#[test]
fn the_calls_do_what_they_are_for() {
    for (who, keys) in CALLS {
        let mut caller = Caller::logged_in(who);
        let mut asked = 0;
        for key in keys.chars() {
            caller.keys(key);
            let heard = caller.playing.as_ref().map_or_else(String::new, |(_, sounds)| line(sounds));
            assert!(!heard.contains("invalid-key"), "{who} {keys}: {heard}");
            asked = caller.asked.len();
        }
        assert!(asked > 0, "{who} {keys} asks for nothing");
    }
}

#[test]
fn hanging_up_changes_nothing() {
    at_each_key(|caller, at| {
        let before = caller.requests();
        caller.hangs_up();
        caller.waits(3600);
        assert_eq!(caller.requests(), before, "{at}");
    });
}

#[test]
fn silence_changes_nothing_and_ends_the_call() {
    at_each_key(|caller, at| {
        let before = caller.requests();
        let mut rounds = 0;
        while !caller.hung_up {
            if caller.recording.is_some() {
                caller.take_arrives(800, None);
            }
            caller.finishes_hearing().waits(9);
            rounds += 1;
            assert!(rounds < 100, "{at} does not end");
        }
        assert_eq!(caller.requests(), before, "{at}");
    });
}

#[test]
fn three_wrong_keys_end_the_call_wherever_there_are_wrong_keys() {
    at_each_key(|caller, at| {
        let before = caller.requests();
        for _ in 0..4 {
            let Place::Menu(menu) = caller.dialogue.listens_at() else { return };
            let wrong = "98765432".chars().find(|key| menu.choice(Key::from_char(*key).expect("a key")).is_none());
            let Some(wrong) = wrong.filter(|_| caller.recording.is_none() && menu.other_keys.is_none()) else { return };
            caller.finishes_hearing();
            if caller.dialogue.place() == "goodbye" || caller.hung_up {
                break;
            }
            caller.dials(&wrong.to_string());
        }
        caller.finishes_hearing();
        assert!(caller.hung_up, "{at}");
        assert_eq!(caller.requests(), before, "{at}");
    });
}

/// What is heard where the `nth` request of the call gets that reply, or none in time; `None` where there are fewer.
fn with_request(who: &str, keys: &str, nth: usize, reply: Option<Refusal>) -> Option<String> {
    let mut caller = Caller::logged_in(who);
    for key in keys.chars() {
        let asked = caller.asked.len();
        if asked == nth {
            match reply {
                Some(refusal) => caller.store_refuses(refusal),
                None => caller.store_is_slow(),
            };
        }
        caller.keys(key);
        if asked == nth && caller.asked.len() > nth {
            if reply.is_none() {
                caller.hears_nothing().waits(9).hears_nothing().waits(1);
            }
            let heard = caller.playing.as_ref().map_or_else(String::new, |(_, sounds)| line(sounds));
            caller.is_on_the_line();
            if reply.is_none() {
                // Too late: nothing is heard of it.
                caller.store_replies().begins_to_hear(&heard);
            }
            return Some(heard);
        }
        // A reply that was meant for a request is not for the next one.
        caller.instead.clear();
        caller.slow = false;
        caller.store_replies();
    }
    None
}

#[test]
fn a_store_that_fails_at_any_request_is_told() {
    let mut requests = 0;
    for (who, keys) in CALLS {
        for nth in 0.. {
            let Some(heard) = with_request(who, keys, nth, Some(Refusal::TryLater)) else { break };
            assert!(heard.starts_with("failed-try-later "), "{who} {keys}, request {nth}: {heard}");
            requests += 1;
        }
    }
    assert!(requests > 70, "only {requests}");
}

#[test]
fn a_right_that_was_taken_away_is_told_at_any_request() {
    for (who, keys) in CALLS {
        for nth in 0.. {
            let Some(heard) = with_request(who, keys, nth, Some(Refusal::NoLongerAllowed)) else { break };
            let own = heard == "no-longer-allowed goodbye";
            assert!(own || heard.starts_with("no-longer-allowed main-menu"), "{who} {keys}, request {nth}: {heard}");
        }
    }
}

#[test]
fn a_reply_that_never_comes_is_told() {
    for (who, keys) in CALLS {
        for nth in 0.. {
            let Some(heard) = with_request(who, keys, nth, None) else { break };
            let is_told = heard.starts_with("not-answered ") || heard.starts_with("failed-try-later ");
            assert!(is_told, "{who} {keys}, request {nth}: {heard}");
        }
    }
    assert!(with_request("1005", "3", 0, None).expect("a request").starts_with("not-answered my-menu "));
    assert!(with_request("1005", "9", 0, None).expect("a request").starts_with("failed-try-later my-menu "));
}
