//! Bytes to values and back: SIP, SDP, RTP, RTCP, key events, G.711 and WAV.

pub mod dtmf;
pub mod g711;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sip;
pub mod srtp;
pub mod wav;
