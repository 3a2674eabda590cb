//! The INVITE server transaction.

use std::time::Duration;

use super::{Output, Packet};
use crate::model::Mono;
use crate::sip::timer::{T1, T2, T4, TRANSACTION_TIMEOUT, TRYING_AFTER};

/// RFC 3261 section 17.2.1 (figure 7) with RFC 6026 section 7.1.
///
/// ```text
///            200 ms, or INVITE again: 100
///   INVITE --> Proceeding --2xx--> Accepted --Timer L--> Terminated
///                  | 300-699           (INVITE again: absorbed)
///                  v
///              Completed --ACK--> Confirmed --Timer I--> Terminated
///     Timer G, INVITE again: send  | Timer H
///                                  v Terminated
/// ```
#[derive(Debug)]
pub struct InviteServer {
    state: State,
    reliable: bool,
}

#[derive(Debug)]
enum State {
    /// `trying_at` is `None` once a 100 was sent.
    Proceeding {
        trying_at: Option<Mono>,
    },
    Completed {
        response: Packet,
        /// Timer G, and its interval; none over a reliable transport.
        resend: Option<(Mono, Duration)>,
        /// Timer H.
        give_up: Mono,
    },
    /// Timer I.
    Confirmed {
        until: Mono,
    },
    /// Timer L.
    Accepted {
        until: Mono,
    },
    Terminated,
}

impl InviteServer {
    /// The INVITE has come.
    pub fn new(now: Mono, reliable: bool) -> Self {
        Self { state: State::Proceeding { trying_at: Some(now + TRYING_AFTER) }, reliable }
    }

    /// The INVITE has come again.
    pub fn handle_retransmission(&mut self) -> Output {
        match &mut self.state {
            State::Proceeding { trying_at } => {
                *trying_at = None;
                Output::SendTrying
            }
            State::Completed { response, .. } => Output::Send(response.clone()),
            State::Confirmed { .. } | State::Accepted { .. } | State::Terminated => Output::Nothing,
        }
    }

    /// A 2xx is being sent by the dialog, which also repeats it until the ACK.
    pub fn accept(&mut self, now: Mono) {
        match self.state {
            State::Proceeding { .. } => self.state = State::Accepted { until: now + TRANSACTION_TIMEOUT },
            State::Completed { .. } | State::Confirmed { .. } | State::Accepted { .. } | State::Terminated => {}
        }
    }

    /// A response of 300 to 699 is to be sent, and repeated until the ACK.
    pub fn refuse(&mut self, now: Mono, response: Packet) -> Output {
        match self.state {
            State::Proceeding { .. } => {
                let resend = (!self.reliable).then(|| (now + T1, T1));
                self.state =
                    State::Completed { response: response.clone(), resend, give_up: now + TRANSACTION_TIMEOUT };
                Output::Send(response)
            }
            State::Completed { .. } | State::Confirmed { .. } | State::Accepted { .. } | State::Terminated => {
                Output::Nothing
            }
        }
    }

    /// An ACK with this transaction's branch has come: true if it is for a refusal, and so ends here.
    pub fn handle_ack(&mut self, now: Mono) -> bool {
        match self.state {
            State::Completed { .. } if self.reliable => self.state = State::Terminated,
            State::Completed { .. } => self.state = State::Confirmed { until: now + T4 },
            State::Confirmed { .. } => {}
            State::Proceeding { .. } | State::Accepted { .. } | State::Terminated => return false,
        }
        true
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Mono) -> Output {
        match &mut self.state {
            State::Proceeding { trying_at } if trying_at.is_some_and(|at| at <= now) => {
                *trying_at = None;
                Output::SendTrying
            }
            State::Completed { give_up, .. } if *give_up <= now => {
                self.state = State::Terminated;
                Output::Nothing
            }
            State::Completed { response, resend: Some((at, interval)), .. } if *at <= now => {
                *interval = T2.min(*interval * 2);
                *at = now + *interval;
                Output::Send(response.clone())
            }
            State::Confirmed { until } | State::Accepted { until } if *until <= now => {
                self.state = State::Terminated;
                Output::Nothing
            }
            State::Proceeding { .. }
            | State::Completed { .. }
            | State::Confirmed { .. }
            | State::Accepted { .. }
            | State::Terminated => Output::Nothing,
        }
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn deadline(&self) -> Option<Mono> {
        match &self.state {
            State::Proceeding { trying_at } => *trying_at,
            State::Completed { resend, give_up, .. } => Some(resend.map_or(*give_up, |(at, _)| at.min(*give_up))),
            State::Confirmed { until } | State::Accepted { until } => Some(*until),
            State::Terminated => None,
        }
    }

    /// Whether no final response was sent yet.
    pub fn is_proceeding(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    /// Whether the transaction is to be forgotten.
    pub fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }
}
