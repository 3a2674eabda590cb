//! Carries what calls ask for to the store and back, and takes to be finished to where they hold nobody up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;

use crate::access::{Action, Actor, Context, Reply};
use crate::media::level;
use crate::media::recorder::RawTake;
use crate::model::{Audio, CallId, Take, Ticket, Verdict};
use crate::server::clock::Clock;
use crate::server::facts::Facts;
use crate::server::media::{Asker, Command, Outside, Thread};
use crate::server::signalling::Order;
use crate::store::Store;

/// How long a busy media thread is asked again.
const TELL_TRIES: u32 = 50;
/// Between two tries.
const TELL_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The rest of the process, for the media threads.
pub struct Requests {
    /// Where requests run.
    pub runtime: Handle,
    /// The store.
    pub store: Store,
    /// To the SIP side; its length is such that each call's hang-up fits.
    pub orders: Sender<Order>,
    /// Calls in progress.
    pub in_progress: Arc<AtomicU32>,
    /// Requests and takes under way.
    pub under_way: Arc<AtomicU32>,
    /// What the store can't know.
    pub facts: Arc<Facts>,
}

impl Outside for Requests {
    fn ask(&self, thread: &Thread, asker: Asker, ticket: Ticket, actor: Actor, action: Action) {
        let ctx = Context {
            now: Clock::wall(),
            site: self.store.site(),
            source: asker.caller.source.clone(),
            caller: asker.caller.extension.clone(),
            call: Some(asker.call),
            other_calls: self.in_progress.load(Ordering::Relaxed).saturating_sub(1),
            is_private: asker.is_private,
        };
        let (store, thread, under_way) = (self.store.clone(), thread.clone(), UnderWay::new(&self.under_way));
        let facts = Arc::clone(&self.facts);
        self.runtime.spawn(async move {
            let name = action.name();
            let reply = completed(facts, store.apply(&ctx, &actor, action).await).await;
            match &reply {
                Reply::Refused(why) => tracing::info!(call = asker.call.0, action = name, ?why, "refused"),
                _ => tracing::info!(call = asker.call.0, action = name, "done"),
            }
            tell(&thread, || Command::Replied(asker.call, ticket, reply.clone())).await;
            drop(under_way);
        });
    }

    fn finish(&self, thread: &Thread, call: CallId, ticket: Option<Ticket>, take: RawTake) {
        let (thread, under_way) = (thread.clone(), UnderWay::new(&self.under_way));
        self.runtime.spawn(async move {
            // A take that can't be finished is heard as a silent one: the caller can record again.
            let nothing = Take { audio: Audio(Arc::from([])), verdict: Some(Verdict::Silent) };
            let take = tokio::task::spawn_blocking(move || level::finish(&take)).await.unwrap_or(nothing);
            tell(&thread, || Command::Finished(call, ticket, take.clone())).await;
            drop(under_way);
        });
    }

    fn hang_up(&self, call: CallId) {
        if self.orders.try_send(Order::HangUp(call)).is_err() {
            tracing::error!(call = call.0, "the SIP side was not told of a hang-up");
        }
    }
}

/// Fills in what the store can't know; left open where it can't be read.
async fn completed(facts: Arc<Facts>, reply: Reply) -> Reply {
    if !Facts::are_wanted(&reply) {
        return reply;
    }
    let left_open = reply.clone();
    tokio::task::spawn_blocking(move || facts.complete(reply)).await.unwrap_or(left_open)
}

/// Tells a media thread, again and again for a second where it is busy.
async fn tell(thread: &Thread, command: impl Fn() -> Command) {
    for _ in 0..TELL_TRIES {
        if thread.tell(command()) {
            return;
        }
        tokio::time::sleep(TELL_AGAIN_AFTER).await;
    }
    tracing::error!("a media thread did not take an answer within a second");
}

/// Counts what is under way for as long as it lives.
struct UnderWay(Arc<AtomicU32>);

impl UnderWay {
    fn new(count: &Arc<AtomicU32>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
