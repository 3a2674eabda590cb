//! How calls are set up: what is offered, what of an offer is taken.

use std::net::IpAddr;
use std::sync::Arc;

use crate::call::CallLimits;
use crate::config::{Config, Dtmf, MediaAddress, Srtp};
use crate::media::session::{self, Agreed, KeysBy};
use crate::server::security::{NoKey, Security};
use crate::wire::g711::Law;
use crate::wire::sdp::{self, Encryption, SdpError};

/// How calls are set up.
pub struct Settings {
    /// The address that the SDP names.
    pub media_address: MediaAddress,
    laws: Vec<Law>,
    /// The sources of keys that are allowed.
    pub keys_by: KeysBy,
    srtp: Srtp,
    /// The limits of a call.
    pub limits: Arc<CallLimits>,
}

impl Settings {
    /// Of the configuration.
    pub fn new(config: &Config, limits: CallLimits) -> Self {
        let by = |source: Dtmf| config.media.dtmf.contains(&source);
        Self {
            media_address: config.media.address,
            laws: config.media.codecs.iter().map(|codec| (*codec).into()).collect(),
            keys_by: KeysBy { events: by(Dtmf::Rfc4733), info: by(Dtmf::Info), inband: by(Dtmf::Inband) },
            srtp: config.media.srtp,
            limits: Arc::new(limits),
        }
    }

    /// Reads a description as far as the configuration and our own address let us agree to it.
    fn read(&self, body: &[u8], ours: IpAddr, encryption: Encryption) -> Result<sdp::Remote, SdpError> {
        let mut remote = sdp::read(body, &self.laws, encryption)?;
        if remote.rtp.is_ipv4() != ours.is_ipv4() {
            return Err(SdpError::NotAcceptable);
        }
        if !self.keys_by.events {
            remote.event_payload_type = None;
        }
        Ok(remote)
    }

    /// Reads an offer, or says with which code it is to be refused.
    pub fn read_offer(&self, body: &[u8], ours: IpAddr) -> Result<sdp::Remote, u16> {
        self.read(body, ours, self.srtp.into()).map_err(refusal_code)
    }

    /// Answers a new offer in a call, or says with which code it is to be refused.
    pub fn answer(
        &self,
        offer: &[u8],
        local: &sdp::Local,
        security: &mut Security,
        is_private: bool,
    ) -> Result<(Agreed, String), u16> {
        let remote = self.read_offer(offer, local.rtp.ip())?;
        let keys = security.take_offer(&remote, is_private)?;
        Ok((agreed(&remote, keys), remote.answer(local, security.ours())))
    }

    /// Takes the answer to an offer of ours; `None` where it can't be used.
    pub fn answered(
        &self,
        answer: &[u8],
        local: &sdp::Local,
        security: &mut Security,
        is_private: bool,
    ) -> Option<Agreed> {
        let remote = self.read(answer, local.rtp.ip(), security.expected()).ok()?;
        let keys = security.take_answer(&remote, is_private).ok()?;
        Some(agreed(&remote, keys))
    }

    /// Writes an offer of ours; 500 where no key can be made.
    pub fn offer(&self, local: &sdp::Local, security: &mut Security) -> Result<String, u16> {
        let keys = security.offer(self.srtp)?;
        Ok(sdp::offer(local, &self.laws, self.keys_by.events, keys))
    }
}

impl From<NoKey> for u16 {
    fn from(_: NoKey) -> Self {
        500
    }
}

impl From<crate::config::Codec> for Law {
    fn from(codec: crate::config::Codec) -> Self {
        match codec {
            crate::config::Codec::Pcmu => Law::Mu,
            crate::config::Codec::Pcma => Law::A,
        }
    }
}

fn refusal_code(error: SdpError) -> u16 {
    match error {
        SdpError::Malformed => 400,
        SdpError::NotAcceptable => 488,
    }
}

/// What offer and answer agreed, with the keys of the stream.
pub fn agreed(remote: &sdp::Remote, security: Option<session::Security>) -> Agreed {
    Agreed {
        rtp: remote.rtp,
        rtcp: remote.rtcp,
        law: remote.law,
        event_payload_type: remote.event_payload_type,
        receives: remote.receives,
        sends: remote.sends,
        security,
    }
}
