//! Standard input, for a PIN: no buffer that outlives it, and a terminal that does not show it.

use std::io::{self, BufRead, IsTerminal as _, Read, Write as _};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::{Zeroize as _, Zeroizing};

use super::PIN_LINE_BYTES_MAX;

/// Reads standard input in pieces of [`PIN_LINE_BYTES_MAX`] and wipes each. Where it is a terminal it asks first, on
/// standard error, and nothing of what is typed is shown.
pub(super) struct PinInput {
    piece: Zeroizing<[u8; PIN_LINE_BYTES_MAX]>,
    at: usize,
    end: usize,
}

impl PinInput {
    pub(super) fn new() -> Self {
        Self { piece: Zeroizing::new([0; PIN_LINE_BYTES_MAX]), at: 0, end: 0 }
    }
}

impl Read for PinInput {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let waiting = self.fill_buf()?;
        let count = waiting.len().min(target.len());
        for (to, from) in target.iter_mut().zip(waiting) {
            *to = *from;
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for PinInput {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.end {
            self.piece.zeroize();
            self.at = 0;
            self.end = match Unseen::begin()? {
                Some(unseen) => unseen.read(&mut self.piece[..])?,
                None => rustix::io::read(io::stdin(), &mut self.piece[..])?,
            };
        }
        Ok(self.piece.get(self.at..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Unseen {
    before: Termios,
    interrupt: u8,
}

impl Unseen {
    /// `None` where standard input is no terminal.
    fn begin() -> io::Result<Option<Self>> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(&stdin)?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        unseen.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON);
        // Ctrl-C is to end the line instead of the program: who ends it leaves a terminal that shows nothing.
        let interrupt = before.special_codes[SpecialCodeIndex::VINTR];
        unseen.special_codes[SpecialCodeIndex::VEOL] = interrupt;
        // What was typed before the question was shown already, and is no answer to it.
        tcsetattr(&stdin, OptionalActions::Flush, &unseen)?;
        // Whoever has redirected standard error does without the question.
        let _ = io::stderr().write_all(b"PIN: ");
        Ok(Some(Self { before, interrupt }))
    }

    fn read(&self, target: &mut [u8]) -> io::Result<usize> {
        let count = rustix::io::read(io::stdin(), &mut *target)?;
        if self.interrupt != 0 && target.get(..count).unwrap_or_default().contains(&self.interrupt) {
            return Err(io::Error::other("interrupted, and nothing was done"));
        }
        Ok(count)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
