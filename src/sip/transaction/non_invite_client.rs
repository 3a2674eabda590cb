//! The non-INVITE client transaction.

use std::time::Duration;

use super::{Output, Packet};
use crate::model::Mono;
use crate::sip::timer::{T1, T2, T4, TRANSACTION_TIMEOUT};

/// RFC 3261 section 17.1.2 (figure 6).
#[derive(Debug)]
pub struct NonInviteClient {
    state: State,
    reliable: bool,
}

#[derive(Debug)]
enum State {
    /// Trying and, once a provisional response has come, Proceeding.
    Waiting {
        request: Packet,
        /// Timer E, and its interval; none over a reliable transport.
        resend: Option<(Mono, Duration)>,
        /// Timer F.
        give_up: Mono,
        proceeding: bool,
    },
    /// Timer K.
    Completed {
        until: Mono,
    },
    Terminated,
}

impl NonInviteClient {
    /// The request is being sent.
    pub fn new(now: Mono, reliable: bool, request: Packet) -> Self {
        let resend = (!reliable).then(|| (now + T1, T1));
        let state = State::Waiting { request, resend, give_up: now + TRANSACTION_TIMEOUT, proceeding: false };
        Self { state, reliable }
    }

    /// A response has come: true if it is the first final one.
    pub fn handle_response(&mut self, now: Mono, code: u16) -> bool {
        match &mut self.state {
            State::Waiting { proceeding, .. } if code < 200 => {
                *proceeding = true;
                false
            }
            State::Waiting { .. } => {
                self.state = if self.reliable { State::Terminated } else { State::Completed { until: now + T4 } };
                true
            }
            State::Completed { .. } | State::Terminated => false,
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Mono) -> Output {
        match &mut self.state {
            State::Waiting { give_up, .. } if *give_up <= now => {
                self.state = State::Terminated;
                Output::Nothing
            }
            State::Waiting { request, resend: Some((at, interval)), proceeding, .. } if *at <= now => {
                *interval = if *proceeding { T2 } else { T2.min(*interval * 2) };
                *at = now + *interval;
                Output::Send(request.clone())
            }
            State::Completed { until } if *until <= now => {
                self.state = State::Terminated;
                Output::Nothing
            }
            State::Waiting { .. } | State::Completed { .. } | State::Terminated => Output::Nothing,
        }
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn deadline(&self) -> Option<Mono> {
        match &self.state {
            State::Waiting { resend, give_up, .. } => Some(resend.map_or(*give_up, |(at, _)| at.min(*give_up))),
            State::Completed { until } => Some(*until),
            State::Terminated => None,
        }
    }

    /// The request, while no final response has come.
    pub fn request(&self) -> Option<&Packet> {
        match &self.state {
            State::Waiting { request, .. } => Some(request),
            State::Completed { .. } | State::Terminated => None,
        }
    }

    /// Whether no final response has come yet.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// Whether the transaction is to be forgotten.
    pub fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }
}
