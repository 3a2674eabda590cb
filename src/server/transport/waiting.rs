//! What waits: messages for the endpoint, and messages for a connection that is slow to take them. Both are bounded by
//! their bytes as well as by their number, since one message may be 200 times as long as another.

use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, WeakSender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::Inbound;
use crate::sip::Flow;

/// Bytes of all messages that wait for the endpoint; what comes beyond is dropped over UDP and waits over TCP.
const INBOUND_BYTES_MAX: usize = 16 << 20;
/// Messages that wait for one slow connection; beyond it the connection is closed.
const OUTBOUND_MAX: usize = 256;
/// Bytes of those messages; beyond it the connection is closed.
const OUTBOUND_BYTES_MAX: usize = 1 << 20;
/// Bytes that wait for the connections of all strangers together; beyond it one that has something waiting already is
/// closed, and one that has nothing gets its message.
const STRANGERS_BYTES_MAX: usize = 16 << 20;
/// The same for those of trusted peers and our own, so that no stranger costs them theirs.
const TRUSTED_BYTES_MAX: usize = 32 << 20;

/// A part of a room, which is given back when it is dropped.
pub type Share = OwnedSemaphorePermit;

/// The way of messages to the endpoint.
#[derive(Clone)]
pub struct Intake {
    queue: Sender<Inbound>,
    room: Arc<Semaphore>,
}

impl Intake {
    /// Into that queue, of which there may be only one intake.
    pub fn new(queue: Sender<Inbound>) -> Self {
        Self { queue, room: Arc::new(Semaphore::new(INBOUND_BYTES_MAX)) }
    }

    /// Passes a message on as soon as there is room; `false` where nobody takes it any more.
    pub async fn pass(&self, flow: Flow, bytes: Vec<u8>) -> bool {
        let bytes = Zeroizing::new(bytes);
        // A buffer that has grown may be twice as long as what is in it.
        let Ok(share) = Arc::clone(&self.room).acquire_many_owned(count(bytes.capacity())).await else { return false };
        self.tell(Inbound::Message(flow, bytes, share)).await
    }

    /// Passes a datagram on, or drops it where there is no room; `false` where nobody takes it any more.
    pub fn pass_or_drop(&self, flow: Flow, bytes: &[u8]) -> bool {
        let Ok(share) = Arc::clone(&self.room).try_acquire_many_owned(count(bytes.len())) else {
            return !self.queue.is_closed();
        };
        let message = Inbound::Message(flow, Zeroizing::new(bytes.to_vec()), share);
        !matches!(self.queue.try_send(message), Err(TrySendError::Closed(_)))
    }

    /// Tells of something else than a message; `false` where nobody hears it any more.
    pub async fn tell(&self, inbound: Inbound) -> bool {
        self.queue.send(inbound).await.is_ok()
    }
}

/// The rooms for what waits for all connections together.
pub struct Rooms {
    strangers: Arc<Semaphore>,
    trusted: Arc<Semaphore>,
}

impl Default for Rooms {
    fn default() -> Self {
        let room = |bytes| Arc::new(Semaphore::new(bytes));
        Self { strangers: room(STRANGERS_BYTES_MAX), trusted: room(TRUSTED_BYTES_MAX) }
    }
}

impl Rooms {
    /// The queue of one more connection; its writer ends when all that send into it are dropped.
    pub fn queue(&self, is_trusted: bool) -> (Outbound, Receiver<Outgoing>) {
        let all = Arc::clone(if is_trusted { &self.trusted } else { &self.strangers });
        let (queue, outgoing) = channel(OUTBOUND_MAX);
        (Outbound { queue, own: Arc::new(Semaphore::new(OUTBOUND_BYTES_MAX)), all }, outgoing)
    }
}

/// A message for a connection, and its shares of the rooms until it is written.
pub struct Outgoing {
    /// The message.
    pub bytes: Arc<[u8]>,
    _own: Share,
    _all: Option<Share>,
}

/// The queue of messages for one connection, which is closed when this is dropped.
pub struct Outbound {
    queue: Sender<Outgoing>,
    own: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

impl Outbound {
    /// Queues a message; `false` where the connection is too slow or gone, and is to be closed.
    pub fn send(&self, bytes: Arc<[u8]>) -> bool {
        let length = count(bytes.len());
        let is_idle = self.own.available_permits() == OUTBOUND_BYTES_MAX;
        let Ok(own) = Arc::clone(&self.own).try_acquire_many_owned(length) else { return false };
        let all = Arc::clone(&self.all).try_acquire_many_owned(length).ok();
        // So what others leave lying about costs nobody a connection who takes what comes. It is one message each.
        if all.is_none() && !is_idle {
            return false;
        }
        self.queue.try_send(Outgoing { bytes, _own: own, _all: all }).is_ok()
    }

    /// The same queue, for who does not keep the connection open by it.
    pub fn downgrade(&self) -> WeakOutbound {
        WeakOutbound { queue: self.queue.downgrade(), own: Arc::clone(&self.own), all: Arc::clone(&self.all) }
    }
}

/// A queue that may be gone.
pub struct WeakOutbound {
    queue: WeakSender<Outgoing>,
    own: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

impl WeakOutbound {
    /// The queue, where it is still there.
    pub fn upgrade(&self) -> Option<Outbound> {
        let queue = self.queue.upgrade()?;
        Some(Outbound { queue, own: Arc::clone(&self.own), all: Arc::clone(&self.all) })
    }
}

/// A room counts bytes; more than it has is refused whatever the number.
fn count(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Arc<[u8]> {
        vec![b'x'; bytes].into()
    }

    #[tokio::test]
    async fn so_many_messages_and_bytes_wait_for_a_connection_and_no_more() {
        let rooms = Rooms::default();
        let (small, _queue) = rooms.queue(false);
        assert_eq!((0..300).filter(|_| small.send(message(100))).count(), OUTBOUND_MAX);
        let (outbound, mut queue) = rooms.queue(false);
        assert_eq!((0..300).filter(|_| outbound.send(message(OUTBOUND_BYTES_MAX / 16))).count(), 16);
        assert!(!outbound.send(message(1)), "not one byte more");
        let taken = queue.recv().await.expect("the first one");
        assert!(!outbound.send(message(1)), "it counts until it is written");
        drop(taken);
        assert!(outbound.send(message(OUTBOUND_BYTES_MAX / 16)));
    }

    #[test]
    fn what_waits_for_strangers_together_is_bounded_and_costs_neither_who_takes_all_nor_trusted_peers() {
        let rooms = Rooms::default();
        let slow: Vec<_> = (0..STRANGERS_BYTES_MAX / OUTBOUND_BYTES_MAX).map(|_| rooms.queue(false)).collect();
        assert!(slow.iter().all(|(outbound, _)| outbound.send(message(OUTBOUND_BYTES_MAX))));
        let (outbound, mut queue) = rooms.queue(false);
        for n in 0..3 {
            assert!(outbound.send(message(2000)), "{n}: it has nothing waiting");
            assert!(!outbound.send(message(1)), "{n}: it has");
            assert!(queue.try_recv().is_ok());
        }
        let trusted: Vec<_> = (0..TRUSTED_BYTES_MAX / OUTBOUND_BYTES_MAX).map(|_| rooms.queue(true)).collect();
        for (outbound, _) in &trusted {
            assert_eq!((0..20).filter(|_| outbound.send(message(OUTBOUND_BYTES_MAX / 16))).count(), 16);
        }
        let (outbound, _queue) = rooms.queue(true);
        assert!(outbound.send(message(1)) && !outbound.send(message(1)), "theirs is bounded too");
        drop(slow);
        assert_eq!(rooms.strangers.available_permits(), STRANGERS_BYTES_MAX, "all is given back");
    }
}
