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
        if ours.is_ipv4() {
            // Also where it is written as an IPv6 one.
            [&mut remote.rtp, &mut remote.rtcp].into_iter().for_each(|at| at.set_ip(at.ip().to_canonical()));
        }
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
    pub fn answer(&self, offer: &[u8], said: &mut Said, is_private: bool) -> Result<(Agreed, String), u16> {
        let remote = self.read_offer(offer, said.local.rtp.ip())?;
        let (keys, text) = said.answer(&remote, is_private)?;
        Ok((agreed(&remote, keys), text))
    }

    /// Takes the answer to an offer of ours; `None` where it can't be used.
    pub fn answered(&self, answer: &[u8], said: &mut Said, is_private: bool) -> Option<Agreed> {
        let remote = self.read(answer, said.local.rtp.ip(), said.security.expected()).ok()?;
        let keys = said.security.take_answer(&remote, is_private).ok()?;
        said.streams.clone_from(&remote.streams);
        Some(agreed(&remote, keys))
    }

    /// Writes an offer of ours; 500 where no key can be made.
    pub fn offer(&self, said: &mut Said, is_private: bool) -> Result<String, u16> {
        let keys = said.security.offer(self.srtp, is_private)?;
        Ok(sdp::offer(&said.local, &said.streams, &self.laws, self.keys_by.events, keys))
    }
}

/// What the two sides of a call have said of its session so far.
pub struct Said {
    /// Our side.
    pub local: sdp::Local,
    /// The keys.
    pub security: Security,
    /// What later descriptions list too.
    pub streams: sdp::Streams,
}

impl Said {
    /// Nothing but our side.
    pub fn new(local: sdp::Local) -> Self {
        Self { local, security: Security::default(), streams: sdp::Streams::default() }
    }

    /// Answers an offer that was taken; 500 where no key can be made.
    pub fn answer(
        &mut self,
        offer: &sdp::Remote,
        is_private: bool,
    ) -> Result<(Option<session::Security>, String), u16> {
        let keys = self.security.take_offer(offer, is_private)?;
        self.streams.clone_from(&offer.streams);
        Ok((keys, offer.answer(&self.local, self.security.ours())))
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
