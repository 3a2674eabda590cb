//! Whether everything that has to go on goes on: what feeds the service manager's watchdog.
//!
//! A timer that says "alive" shows that a timer runs. So each loop is asked by the way by which its work comes, and says
//! so when it has come to the question:
//!
//! ```text
//!            ┌─ Order::Show ───► SIP task ────┐
//! Feeder ────┼─ Command::Show ─► media-0 … n ─┼─ Sign::show ─► Feeder ─ all of them? ─► WATCHDOG=1
//!            └─ SELECT 1 ──────► the writer ──┘                       └ no: nothing
//! ```
//!
//! A loop that hangs or spins never comes to it; one that is idle does at once. The writer shows itself also by ending what it
//! does, with or without success: it may wait for another program that holds the store, and a restart would only wait
//! again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::Sender;

use super::media::{Command, Thread};
use super::signalling::Order;
use super::systemd;
use crate::store::Store;

/// Of the time that the manager waits, after how much the loops are looked at again: a round may be late three times.
const LOOKS: u32 = 4;
/// From one look to the next, at least.
const LOOK_EVERY_MIN: Duration = Duration::from_millis(20);

/// A question to a loop, to be answered when the loop has come to it.
#[derive(Clone, Debug)]
pub struct Sign {
    shown: Arc<AtomicU64>,
    round: u64,
}

impl Sign {
    /// Answers it.
    pub fn show(&self) {
        self.shown.fetch_max(self.round, Ordering::Relaxed);
    }
}

/// Which round is asked for, and who has answered it; no clock, no channel.
#[derive(Debug)]
struct Watch {
    round: u64,
    shown: Vec<Arc<AtomicU64>>,
}

impl Watch {
    fn new(loops: usize) -> Self {
        Self { round: 1, shown: (0..loops).map(|_| Arc::default()).collect() }
    }

    /// The question of the present round to a loop; asked twice it is still one.
    fn question(&self, at: usize) -> Option<Sign> {
        Some(Sign { shown: Arc::clone(self.shown.get(at)?), round: self.round })
    }

    /// The loops that have not answered. Where that is none of them, another round begins.
    fn look(&mut self) -> Vec<usize> {
        let round = self.round;
        let is_silent = |shown: &Arc<AtomicU64>| shown.load(Ordering::Relaxed) < round;
        let silent: Vec<usize> =
            (0..).zip(&self.shown).filter(|(_, shown)| is_silent(shown)).map(|(at, _)| at).collect();
        if silent.is_empty() {
            self.round += 1;
        }
        silent
    }
}

/// Asks all loops, and tells the service manager that the process is alive where all of them answer.
pub struct Feeder {
    /// The SIP task.
    pub orders: Sender<Order>,
    /// The media threads.
    pub threads: Vec<Thread>,
    /// The store, for its writer.
    pub store: Store,
    /// Calls in progress.
    pub in_progress: Arc<AtomicU32>,
}

impl Feeder {
    /// Goes on until it is dropped; `within` is how long the manager waits.
    pub async fn run(self, within: Duration) {
        let mut looks = tokio::time::interval((within / LOOKS).max(LOOK_EVERY_MIN));
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut watch = Watch::new(self.threads.len() + 2);
        let writing = Arc::new(AtomicBool::new(false));
        // What a first look finds is that nobody was asked.
        (0..watch.shown.len()).for_each(|at| self.ask(at, &watch, &writing));
        looks.tick().await;
        let mut was_silent = false;
        loop {
            looks.tick().await;
            let silent = watch.look();
            if silent.is_empty() {
                systemd::alive(self.in_progress.load(Ordering::Relaxed));
                (0..watch.shown.len()).for_each(|at| self.ask(at, &watch, &writing));
            } else {
                if !was_silent {
                    let names: Vec<String> = silent.iter().map(|at| self.name(*at)).collect();
                    tracing::warn!(loops = names.join(", "), "no sign of life: the watchdog is not fed");
                }
                // The question may have found a queue full.
                silent.iter().for_each(|at| self.ask(*at, &watch, &writing));
            }
            was_silent = !silent.is_empty();
        }
    }

    fn name(&self, at: usize) -> String {
        match at {
            0 => "SIP".to_owned(),
            1 => "the store's writer".to_owned(),
            _ => format!("media-{}", at - 2),
        }
    }

    fn ask(&self, at: usize, watch: &Watch, writing: &Arc<AtomicBool>) {
        let Some(sign) = watch.question(at) else { return };
        match at {
            0 => {
                let _ = self.orders.try_send(Order::Show(sign));
            }
            // One that waits already answers only the round in which it was asked, and that is still this one.
            1 if !writing.swap(true, Ordering::Relaxed) => {
                let (store, writing) = (self.store.clone(), Arc::clone(writing));
                tokio::spawn(async move {
                    if store.writer_answers().await {
                        sign.show();
                    }
                    writing.store(false, Ordering::Relaxed);
                });
            }
            1 => {}
            _ => {
                if let Some(thread) = self.threads.get(at - 2) {
                    thread.tell(Command::Show(sign));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(watch: &Watch, at: usize) {
        watch.question(at).expect("a loop").show();
    }

    #[test]
    fn it_is_fed_only_when_every_loop_has_answered_this_round() {
        let mut watch = Watch::new(3);
        assert_eq!(watch.look(), [0, 1, 2], "nobody has been asked");
        answer(&watch, 0);
        answer(&watch, 2);
        // Answering again and again is no substitute for the one that hangs.
        answer(&watch, 0);
        for _ in 0..10 {
            assert_eq!(watch.look(), [1]);
        }
        answer(&watch, 1);
        assert!(watch.look().is_empty());
    }

    #[test]
    fn an_answer_of_an_earlier_round_is_no_sign_of_life() {
        let mut watch = Watch::new(2);
        let late = watch.question(1).expect("a loop");
        answer(&watch, 0);
        answer(&watch, 1);
        assert!(watch.look().is_empty());
        // The next round: one goes on, the other only comes to what it was asked before.
        answer(&watch, 0);
        late.show();
        assert_eq!(watch.look(), [1]);
        answer(&watch, 1);
        assert!(watch.look().is_empty());
        assert_eq!(watch.look(), [0, 1]);
    }
}
