//! What a service manager is told (`sd_notify(3)`, over the socket that `NOTIFY_SOCKET` names). Where there is none,
//! nothing is said; where it can't be told, nothing is lost but that.

use std::time::Duration;

use sd_notify::{NotifyState, notify};

use super::clock::Clock;

/// How long it waits for a sign of life before it ends us (`WatchdogSec=`); `None` where it waits for none.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|within| !within.is_zero())
}

/// Calls are taken.
pub fn ready(extensions: &[String]) {
    let status = format!("taking calls to {}", extensions.join(", "));
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// The files are read again; [`reloaded`] follows.
pub fn reloading() {
    // Without the time systemd can't tell this from an earlier one; it was not asked for then.
    if let Ok(now) = Clock::for_systemd() {
        tell(&[NotifyState::Reloading, now, NotifyState::Status("reading the prompts again")]);
    }
}

/// They were read.
pub fn reloaded(extensions: &[String]) {
    ready(extensions);
}

/// No new calls, and the present ones for so many seconds.
pub fn draining(seconds: u32) {
    let status = format!("draining: no new calls, at most {seconds} s for the present ones");
    tell(&[NotifyState::Stopping, NotifyState::Status(&status)]);
}

/// Everything goes on.
pub fn alive(calls: u32) {
    let status = if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
    tell(&[NotifyState::Watchdog, NotifyState::Status(&status)]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = notify(state) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
