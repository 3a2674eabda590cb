//! Bytes to values and back: SIP, SDP, RTP, key events, G.711 and WAV.

pub mod sip;
