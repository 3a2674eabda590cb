//! The non-INVITE server transaction.

use super::{Output, Packet};
use crate::model::Mono;
use crate::sip::timer::TRANSACTION_TIMEOUT;

/// RFC 3261 section 17.2.2 (figure 8), without provisional responses, which RFC 4320 takes away.
#[derive(Debug)]
pub struct NonInviteServer {
    state: State,
    reliable: bool,
}

#[derive(Debug)]
enum State {
    Trying,
    /// Timer J.
    Completed {
        response: Packet,
        until: Mono,
    },
    Terminated,
}

impl NonInviteServer {
    /// The request has come.
    pub fn new(reliable: bool) -> Self {
        Self { state: State::Trying, reliable }
    }

    /// The request has come again.
    pub fn handle_retransmission(&self) -> Output {
        match &self.state {
            State::Completed { response, .. } => Output::Send(response.clone()),
            State::Trying | State::Terminated => Output::Nothing,
        }
    }

    /// The final response is to be sent.
    pub fn respond(&mut self, now: Mono, response: Packet) -> Output {
        match self.state {
            State::Trying => {
                self.state = if self.reliable {
                    State::Terminated
                } else {
                    State::Completed { response: response.clone(), until: now + TRANSACTION_TIMEOUT }
                };
                Output::Send(response)
            }
            State::Completed { .. } | State::Terminated => Output::Nothing,
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Mono) {
        match self.state {
            State::Completed { until, .. } if until <= now => self.state = State::Terminated,
            State::Trying | State::Completed { .. } | State::Terminated => {}
        }
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn deadline(&self) -> Option<Mono> {
        match self.state {
            State::Completed { until, .. } => Some(until),
            State::Trying | State::Terminated => None,
        }
    }

    /// Whether the transaction is to be forgotten.
    pub fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }
}
