//! A SIP stream: how it is cut into reads changes nothing of the frames.

use switchhook::wire::sip::{Frame, Framer, Framing, MESSAGE_BYTES_MAX, decode};

/// The first byte is the length of the reads, the rest the stream.
pub fn run(data: &[u8]) {
    let Some((step, stream)) = data.split_first() else { return };
    let whole = frames(stream, stream.len().max(1));
    assert_eq!(whole, frames(stream, usize::from(*step).max(1)), "read by {step}");
    assert_eq!(whole, frames(stream, usize::from(*step) * 128 + 1), "read by {step} * 128");
    let fatal = whole.iter().position(|frame| matches!(frame, Frame::Fatal(_)));
    assert!(fatal.is_none_or(|at| at + 1 == whole.len()), "nothing follows the end");
    for frame in &whole {
        match frame {
            Frame::Message(bytes) => {
                assert!(bytes.len() <= MESSAGE_BYTES_MAX);
                let _ = decode(bytes, Framing::Stream);
            }
            Frame::Ping => {}
            Frame::Fatal(bytes) => assert!(decode(bytes, Framing::Stream).is_err(), "the end of a stream decodes well"),
        }
    }
}

fn frames(stream: &[u8], step: usize) -> Vec<Frame> {
    let mut framer = Framer::default();
    let mut frames = Vec::new();
    for read in stream.chunks(step) {
        framer.feed(read);
        frames.extend(std::iter::from_fn(|| framer.poll_frame()));
    }
    frames
}
