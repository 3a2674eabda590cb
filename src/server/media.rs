//! The media drivers: a few threads, each of which owns its calls whole.
//!
//! ```text
//!   ms    0    1    2  …  19 | 20   21          slot = ms modulo 20; each call has one slot
//!         c0   c1   c2    …  | c0   c1 …        at its slot a call reads what has come, then sends its next frame
//! ```
//!
//! A thread wakes once a millisecond, however many calls it has, and touches the calls of one slot. What came for a
//! call is read just before its frame is sent, so a key changes the very next packet, at most 20 ms after it came,
//! and no readiness has to be asked of the kernel. The next wake-up is the last one plus 1 ms, never now plus 1 ms.

use std::collections::HashMap;
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::access::{Action, Actor, Reply};
use crate::call::{Call, Output};
use crate::media::recorder::RawTake;
use crate::media::session::{Agreed, PACKET_BYTES};
use crate::model::{CallId, Mono, Take, Ticket};
use crate::server::caller::Caller;
use crate::server::clock::Clock;
use crate::server::rtp_socket::{RtpSocket, receive};
use crate::server::watchdog::Sign;
use crate::wire::rtcp::REPORT_BYTES_MAX;
use crate::wire::rtp::DATAGRAM_BYTES_MAX;

/// Slots of the wheel, 1 ms each.
const SLOTS: usize = 20;
/// From one slot to the next.
const SLOT: Duration = Duration::from_millis(1);
/// The call's own datagrams that are read from a port at a time; what is beyond waits for the next frame.
const DATAGRAMS_MAX: usize = 16;
/// Strangers' datagrams that are read away from a port at a time, so that a flood does not keep the caller's from being
/// read.
const STRANGERS_MAX: usize = 1000;
/// RTCP is looked at once in this many frames; while strangers send to its port, in each.
const RTCP_EVERY: u8 = 4;
/// Commands that wait for one thread; beyond it a new call is refused.
const COMMANDS_MAX: usize = 16_384;
/// A thread that was kept from running for longer than this leaves out what it missed.
const CATCH_UP_MAX: Duration = Duration::from_millis(400);
/// Slots that are served before the commands are looked at again, however late the thread is.
const TURN_MAX: usize = SLOTS;

/// What a media thread is told.
pub enum Command {
    /// A call was answered.
    Begin(Box<Begin>),
    /// Its answer was acknowledged.
    Confirmed(CallId),
    /// A new offer and answer.
    Renegotiated(CallId, Agreed),
    /// A request within the call came that changes nothing.
    Request(CallId),
    /// SIP INFO told a key; apart, as a queue keeps the bytes of what was taken from it.
    Info(CallId, Box<Zeroizing<char>>),
    /// The store has answered.
    Replied(CallId, Ticket, Reply),
    /// A take is finished.
    Finished(CallId, Option<Ticket>, Take),
    /// The SIP side has ended the call.
    HungUp(CallId),
    /// Show that commands are obeyed.
    Show(Sign),
}

/// A call that begins.
pub struct Begin {
    /// Its number.
    pub id: CallId,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The call.
    pub call: Call,
    /// Its RTP socket, non-blocking.
    pub rtp: UdpSocket,
    /// Its RTCP socket, non-blocking.
    pub rtcp: UdpSocket,
}

/// Which call asks.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The call.
    pub call: CallId,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// Whether nobody on the way can listen or forge a key.
    pub is_private: bool,
}

/// What a call wants of the rest of the process. Implemented by the server; must never block.
pub trait Outside: Send + Sync {
    /// Ask the store, and send [`Command::Replied`].
    fn ask(&self, thread: &Thread, asker: Asker, ticket: Ticket, actor: Actor, action: Action);
    /// Finish a take, and send [`Command::Finished`].
    fn finish(&self, thread: &Thread, call: CallId, ticket: Option<Ticket>, take: RawTake);
    /// Hang up.
    fn hang_up(&self, call: CallId);
}

/// A media thread, from outside.
#[derive(Clone)]
pub struct Thread {
    commands: SyncSender<Command>,
    calls: Arc<AtomicUsize>,
}

impl Thread {
    /// Starts a media thread; it ends when every handle to it is dropped.
    pub fn start(number: usize, clock: Clock, outside: Arc<dyn Outside>) -> std::io::Result<Self> {
        let (thread, inbox) = Self::new();
        let handle = thread.clone();
        std::thread::Builder::new()
            .name(format!("media-{number}"))
            .stack_size(256 * 1024)
            .spawn(move || Driver::new(clock, outside, handle).run(&inbox))?;
        Ok(thread)
    }

    fn new() -> (Self, Receiver<Command>) {
        let (commands, inbox) = sync_channel(COMMANDS_MAX);
        (Self { commands, calls: Arc::new(AtomicUsize::new(0)) }, inbox)
    }

    /// Tells the thread something; `false` where it has too much to do (or has ended), and the command is dropped.
    pub fn tell(&self, command: Command) -> bool {
        match self.commands.try_send(command) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    /// Calls that it has.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

struct Running {
    id: CallId,
    caller: Arc<Caller>,
    call: Call,
    rtp: RtpSocket,
    rtcp: UdpSocket,
    frames: u8,
    /// What came to the RTCP port when it was last read was not all the call's own: it is read again at the next frame.
    is_rtcp_flooded: bool,
}

/// Which slot is due when.
struct Wheel {
    slot: usize,
    next: Mono,
    /// Slots that this turn may still serve.
    left: usize,
}

impl Wheel {
    fn new(now: Mono) -> Self {
        Self { slot: 0, next: now, left: 0 }
    }

    /// Begins a turn; leaves out what was missed where the thread is very late, and says how late it was.
    fn begin_turn(&mut self, now: Mono) -> Option<Duration> {
        self.left = TURN_MAX;
        let late = now.since(self.next);
        if late <= CATCH_UP_MAX {
            return None;
        }
        self.next = now;
        Some(late)
    }

    /// The next slot that is due; `None` at the end of the turn.
    fn turn(&mut self, now: Mono) -> Option<usize> {
        if self.next > now {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        let slot = self.slot;
        self.slot = (slot + 1) % SLOTS;
        self.next = self.next + SLOT;
        Some(slot)
    }
}

struct Driver {
    clock: Clock,
    outside: Arc<dyn Outside>,
    handle: Thread,
    calls: HashMap<CallId, Box<Running>>,
    slots: [Vec<CallId>; SLOTS],
    buffer: Box<[u8; DATAGRAM_BYTES_MAX + 1]>,
}

impl Driver {
    fn new(clock: Clock, outside: Arc<dyn Outside>, handle: Thread) -> Self {
        let slots = std::array::from_fn(|_| Vec::new());
        Self { clock, outside, handle, calls: HashMap::new(), slots, buffer: Box::new([0; DATAGRAM_BYTES_MAX + 1]) }
    }

    fn run(mut self, inbox: &Receiver<Command>) {
        let mut wheel = Wheel::new(self.clock.now());
        loop {
            if self.calls.is_empty() {
                let Ok(command) = inbox.recv() else { return };
                self.obey(command);
                wheel = Wheel::new(self.clock.now());
            }
            loop {
                match inbox.try_recv() {
                    Ok(command) => self.obey(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            if let Some(late) = wheel.begin_turn(self.clock.now()) {
                tracing::warn!(late_ms = late.as_millis() as u64, "a media thread was kept from running");
            }
            while let Some(slot) = wheel.turn(self.clock.now()) {
                self.serve(slot);
            }
            let wait = wheel.next.since(self.clock.now());
            if !wait.is_zero() {
                std::thread::sleep(wait);
            }
        }
    }

    /// Serves the calls of one slot.
    fn serve(&mut self, slot: usize) {
        let mut ids = std::mem::take(&mut self.slots[slot]);
        ids.retain(|id| self.guarded(*id, Driver::serve_call));
        self.slots[slot] = ids;
    }

    /// Works on one call; a panic ends that call alone. `false` where the call is gone.
    fn guarded(&mut self, id: CallId, work: impl FnOnce(&mut Self, &mut Running)) -> bool {
        let Some(mut running) = self.calls.remove(&id) else { return false };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            work(self, &mut running);
            self.carry_out(&mut running);
        }));
        if outcome.is_err() {
            tracing::error!(call = id.0, "a call failed and is ended");
            self.outside.hang_up(id);
        }
        let goes_on = outcome.is_ok() && !running.call.is_over();
        if goes_on {
            self.calls.insert(id, running);
        } else if let (keys @ 1.., packets) | (keys, packets @ 1..) = running.call.dropped() {
            tracing::warn!(call = id.0, keys, packets, "keys or audio came faster than anybody presses or speaks");
        }
        self.handle.calls.store(self.calls.len(), Ordering::Relaxed);
        goes_on
    }

    fn serve_call(&mut self, running: &mut Running) {
        let now = self.clock.now();
        let Running { rtp, call, .. } = running;
        read_some(|| {
            let (length, from) = rtp.receive(&mut self.buffer[..])?;
            Some(call.handle_rtp(now, from, &self.buffer[..length]))
        });
        running.rtp.take_only(running.call.only_source());
        running.frames = running.frames.wrapping_add(1);
        if running.frames.is_multiple_of(RTCP_EVERY) || running.is_rtcp_flooded {
            self.serve_rtcp(now, running);
        }
        let mut packet = [0; PACKET_BYTES];
        if let Some((length, to)) = running.call.frame(now, &mut packet) {
            running.rtp.send(&packet[..length], to);
        }
    }

    fn serve_rtcp(&mut self, now: Mono, running: &mut Running) {
        let Running { rtcp, call, is_rtcp_flooded, .. } = running;
        // Its receive buffer is the system's usual one: it may be full before a few frames are over.
        *is_rtcp_flooded = false;
        read_some(|| {
            let (length, from) = receive(rtcp, &mut self.buffer[..])?;
            let is_own = call.handle_rtcp(now, from, &self.buffer[..length]);
            *is_rtcp_flooded |= !is_own;
            Some(is_own)
        });
        if running.call.report_is_due(now) {
            report(now, running, false);
        }
    }

    fn carry_out(&self, running: &mut Running) {
        while let Some(output) = running.call.poll_output() {
            match output {
                Output::Ask(ticket, actor, action) => {
                    let (call, caller) = (running.id, Arc::clone(&running.caller));
                    let asker = Asker { call, caller, is_private: running.call.is_private() };
                    self.outside.ask(&self.handle, asker, ticket, actor, action);
                }
                Output::Finish(ticket, take) => self.outside.finish(&self.handle, running.id, ticket, take),
                Output::HangUp => {
                    report(self.clock.now(), running, true);
                    self.outside.hang_up(running.id);
                }
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Begin(begin) => self.begin(*begin),
            Command::Confirmed(id) => self.work(id, |r| r.call.handle_confirmed(now)),
            Command::Renegotiated(id, agreed) => self.work(id, |r| r.call.handle_renegotiated(now, agreed)),
            Command::Request(id) => self.work(id, |r| r.call.handle_request(now)),
            Command::Info(id, key) => self.work(id, |r| r.call.handle_info(now, **key)),
            Command::Replied(id, ticket, reply) => self.work(id, |r| r.call.handle_reply(now, ticket, reply)),
            Command::Finished(id, ticket, take) => self.work(id, |r| r.call.handle_take(now, ticket, take)),
            Command::Show(sign) => sign.show(),
            Command::HungUp(id) => self.work(id, |running| {
                report(now, running, true);
                running.call.handle_hung_up(now);
            }),
        }
    }

    fn work(&mut self, id: CallId, work: impl FnOnce(&mut Running)) {
        self.guarded(id, |_, running| work(running));
    }

    /// Puts the call into the slot that has the fewest.
    fn begin(&mut self, begin: Begin) {
        let slot = (0..SLOTS).min_by_key(|slot| self.slots[*slot].len()).unwrap_or(0);
        let Begin { id, caller, call, rtp, rtcp } = begin;
        let rtp = RtpSocket::new(rtp);
        self.slots[slot].push(id);
        let frames = (id.0 % 16) as u8;
        self.calls.insert(id, Box::new(Running { id, caller, call, rtp, rtcp, frames, is_rtcp_flooded: false }));
        self.handle.calls.store(self.calls.len(), Ordering::Relaxed);
    }
}

/// Reads what has come for one call, as much as is read at a time; `next` reads a datagram and says whether it is the
/// call's own.
fn read_some(mut next: impl FnMut() -> Option<bool>) {
    let (mut own, mut strangers) = (0, 0);
    while own < DATAGRAMS_MAX && strangers < STRANGERS_MAX {
        match next() {
            Some(true) => own += 1,
            Some(false) => strangers += 1,
            None => return,
        }
    }
}

fn report(now: Mono, running: &mut Running, bye: bool) {
    let mut bytes = [0; REPORT_BYTES_MAX];
    let (length, to) = running.call.report(now, Clock::ntp(), bye, &mut bytes);
    // An RFC 2543 hold names no address to send to, and not everybody wants a report.
    if length > 0 && !to.ip().is_unspecified() {
        let _ = running.rtcp.send_to(&bytes[..length], to);
    }
}

#[cfg(test)]
#[path = "media_rtcp_tests.rs"]
mod rtcp_tests;

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns of a thread in which each slot takes `work`, for a minute: the longest one, the slots served, the most that
    /// it was behind at the end of a turn.
    fn minute(work: Duration) -> (Duration, usize, Duration) {
        let (mut now, mut wheel) = (Mono(0), Wheel::new(Mono(0)));
        let (mut longest, mut served, mut behind) = (Duration::ZERO, 0, Duration::ZERO);
        while now < Mono(60_000_000) {
            let begun = now;
            wheel.begin_turn(now);
            while let Some(slot) = wheel.turn(now) {
                assert_eq!(slot, served % SLOTS, "each in its turn");
                now = now + work;
                served += 1;
                assert!(served < 1_000_000, "the turn has no end");
            }
            longest = longest.max(now.since(begun));
            behind = behind.max(now.since(wheel.next));
            now = now.max(wheel.next);
        }
        (longest, served, behind)
    }

    /// It looks at its commands at each turn, so calls end that make it slow, and it is never further behind than it may be.
    #[test]
    fn a_thread_with_too_much_to_do_still_hears_what_it_is_told() {
        let ms = Duration::from_millis;
        let (longest, served, behind) = minute(Duration::from_micros(100));
        assert_eq!((longest, served, behind), (Duration::from_micros(100), 60_000, Duration::ZERO));
        for work in [ms(1), ms(3), ms(50)] {
            let (longest, served, behind) = minute(work);
            assert!(longest <= work * TURN_MAX as u32 && served >= 1000, "{work:?}: {longest:?}, {served}");
            assert!(behind <= CATCH_UP_MAX + work * TURN_MAX as u32, "{work:?}: {behind:?}");
        }
    }

    /// How many datagrams of those that have come are read in one frame.
    fn read_of(has_come: &[bool]) -> usize {
        let mut queue = has_come.iter().copied();
        read_some(|| queue.next());
        has_come.len() - queue.len()
    }

    #[test]
    fn so_many_datagrams_are_read_in_a_frame_and_the_rest_waits() {
        assert_eq!(read_of(&[true; DATAGRAMS_MAX]), DATAGRAMS_MAX);
        assert_eq!(read_of(&[true; DATAGRAMS_MAX + 1]), DATAGRAMS_MAX);
        assert_eq!(read_of(&[false; STRANGERS_MAX]), STRANGERS_MAX);
        assert_eq!(read_of(&[false; STRANGERS_MAX + 1]), STRANGERS_MAX);
        let mut flooded = vec![false; STRANGERS_MAX - 1];
        flooded.extend([true; DATAGRAMS_MAX + 1]);
        assert_eq!(read_of(&flooded), STRANGERS_MAX - 1 + DATAGRAMS_MAX, "a flood does not hide the caller's");
    }

    #[test]
    fn so_many_commands_wait_for_a_thread_and_then_it_takes_none() {
        let (thread, inbox) = Thread::new();
        let told = (0..COMMANDS_MAX + 10).filter(|n| thread.tell(Command::HungUp(CallId(*n as u64)))).count();
        assert_eq!(told, COMMANDS_MAX);
        assert!(matches!(inbox.try_recv(), Ok(Command::HungUp(CallId(0)))));
        assert!(thread.tell(Command::HungUp(CallId(1))) && !thread.tell(Command::HungUp(CallId(2))));
    }
}
