//! Cuts a byte stream into messages (RFC 3261 section 18.3, RFC 5626 section 3.5.1).

use super::decode::{HEADERS_BYTES_MAX, HEADERS_MAX, MESSAGE_BYTES_MAX, content_length, head_end};
use super::head::read_fields;

/// One thing that came in on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, for [`super::decode`] with [`super::Framing::Stream`].
    Message(Vec<u8>),
    /// A keep-alive ping, a double CRLF: a single CRLF is to be sent back.
    Ping,
    /// The stream can't be followed any further: these bytes are to be decoded for the answer that they may get (they
    /// never decode well), then the connection is to be closed.
    Fatal(Vec<u8>),
}

/// Takes bytes as they come and gives frames; holds at most one message of 64 KB and what came with its end.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// How much of the buffer is known to hold no end of the headers.
    searched: usize,
    /// The length of the message that the buffer begins with, once its headers are there.
    need: Option<usize>,
    /// A CRLF between messages came, and may be the first half of a ping.
    half_ping: bool,
    /// Pings that came and were not told yet.
    pings: usize,
    dead: bool,
}

impl Framer {
    /// Takes what was read; all frames are to be polled before the next call.
    pub fn feed(&mut self, bytes: &[u8]) {
        if !self.dead {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next frame; `None` until more bytes came, and always after [`Frame::Fatal`].
    pub fn poll_frame(&mut self) -> Option<Frame> {
        if self.dead {
            return None;
        }
        // All at once: a flood of them is not to be moved again and again.
        let crlfs = self.buffer.chunks_exact(2).take_while(|pair| *pair == b"\r\n").count();
        if crlfs > 0 {
            self.buffer.drain(..2 * crlfs);
            let all = crlfs + usize::from(self.half_ping);
            self.half_ping = all % 2 == 1;
            self.pings += all / 2;
        }
        if self.pings > 0 {
            self.pings -= 1;
            return Some(Frame::Ping);
        }
        // A CR alone is the beginning of a CRLF.
        if self.buffer.is_empty() || self.buffer == b"\r" {
            return None;
        }
        self.half_ping = false;
        let need = match self.need {
            Some(need) => need,
            None => match self.measure() {
                Ok(None) => return None,
                Ok(Some(need)) => *self.need.insert(need),
                Err(length) => return Some(self.die(length)),
            },
        };
        if self.buffer.len() < need {
            return None;
        }
        (self.searched, self.need) = (0, None);
        let rest = self.buffer.split_off(need);
        Some(Frame::Message(std::mem::replace(&mut self.buffer, rest)))
    }

    /// Whether a message has begun whose end has not come.
    pub fn is_within(&self) -> bool {
        !self.buffer.is_empty() && !self.dead
    }

    /// The length of the whole message; `None` until its headers are there, and an error where it can't be told, with
    /// how many bytes to judge it by.
    fn measure(&mut self) -> Result<Option<usize>, usize> {
        let Some(head) = head_end(&self.buffer, self.searched) else {
            self.searched = self.buffer.len().saturating_sub(3);
            let too_long = self.buffer.len() > HEADERS_BYTES_MAX;
            return if too_long { Err(HEADERS_BYTES_MAX + 1) } else { Ok(None) };
        };
        let section = String::from_utf8_lossy(self.buffer.get(..head - 4).unwrap_or_default());
        let fields = section.split_once("\r\n").map(|(_, fields)| read_fields(fields, HEADERS_MAX));
        let length = match fields {
            Some((fields, None)) => content_length(&fields).ok().flatten(),
            Some((_, Some(_))) | None => None,
        };
        length.map(|length| head + length).filter(|whole| *whole <= MESSAGE_BYTES_MAX).map(Some).ok_or(head)
    }

    fn die(&mut self, length: usize) -> Frame {
        self.dead = true;
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.truncate(length);
        Frame::Fatal(bytes)
    }
}
