//! A caller who knows the menu by heart: keys by INFO, and an ear for the few prompts that tell how a change ended.
//!
//! The server gets prompts of a fifth of a second, a tone of its own for each, so that thousands of calls can be made:
//! what is heard is told by its pitch. All other prompts are missing, and passed over.

use std::f32::consts::TAU;
use std::fs;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use switchhook::wire::g711::{FRAME, Law};

use crate::world::agent::Agent;
use crate::world::setup::Setup;

/// The prompts that are told apart, and the pitch of each in Hz: whole cycles in a frame of 20 ms.
const PITCHES: [(&str, u16); 14] = [
    ("main-menu", 500),
    ("my-menu", 600),
    ("dnd-on", 700),
    ("dnd-off", 800),
    ("failed-try-later", 900),
    ("not-answered", 1000),
    ("recording-menu", 1100),
    ("recording-restored", 1200),
    ("maintenance-menu", 1300),
    ("reboot-menu", 1400),
    ("confirm-with-pin", 1500),
    ("reboot-in", 1600),
    ("backup-started", 1700),
    ("backup-failed", 1800),
];
/// Samples of a prompt.
const PROMPT: usize = 10 * FRAME;
/// Frames of one pitch in a row that are that prompt.
const FRAMES_HEARD: usize = 4;
/// Of a frame's energy, what must be in its pitch.
const PURE: f32 = 0.8;
/// A response that has not come by then does not come, from a server that lives.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A prompt that is not heard within so many times that is not heard: 15 s, longer than the dialogue waits for an answer.
const HEARD_AFTER: u32 = 3;

/// Gives the server of this test its prompts.
pub fn install_prompts(setup: &Setup) {
    let folder = setup.path("prompts").join("en");
    fs::create_dir_all(&folder).expect("the prompts' folder");
    for (name, pitch) in PITCHES {
        let sample = |n: usize| (f32::from(i16::MAX / 4) * (TAU * f32::from(pitch) * n as f32 / 8000.0).sin()) as i16;
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(folder.join(format!("{name}.wav")), spec).expect("a prompt");
        for n in 0..PROMPT {
            writer.write_sample(sample(n)).expect("a sample");
        }
        writer.finalize().expect("a prompt");
    }
}

/// The caller; one call at a time.
pub struct Caller {
    agent: Agent,
    media: UdpSocket,
    /// How long a response is waited for.
    pub patience: Duration,
    /// CSeq of the last request.
    next: u32,
    /// The prompt in the last frames, and how many frames it has lasted.
    last: Option<(&'static str, usize)>,
}

impl Caller {
    /// One with an address of its own.
    pub fn new(setup: &Setup) -> Self {
        let agent = Agent::new(setup);
        let media = UdpSocket::bind((agent.address(), 0)).expect("a port");
        media.set_read_timeout(Some(Duration::from_millis(20))).expect("a time-out");
        Self { agent, media, patience: ANSWER_WITHIN, next: 1, last: None }
    }

    /// Calls; whether it was answered.
    pub fn dial(&mut self) -> bool {
        while self.media.recv_from(&mut [0; 2048]).is_ok() {}
        self.agent.new_call();
        (self.next, self.last) = (1, None);
        let port = self.media.local_addr().expect("its port").port();
        let offer = self.agent.sdp(&format!("m=audio {port} RTP/AVP 0\r\n"));
        let line = self.agent.line("INVITE");
        let invite = self.agent.request(&line, 1, &[], &offer);
        if self.answer_to(&invite) != Some(200) {
            return false;
        }
        let line = self.agent.line("ACK");
        let ack = self.agent.request(&line, 1, &[], "");
        self.agent.send(&ack);
        true
    }

    /// Calls and logs in; whether the first menu was heard.
    pub fn call_as(&mut self, extension: &str, pin: &str) -> bool {
        self.dial() && self.press(&format!("{extension}#{pin}#")) && self.hears(&["main-menu", "my-menu"]).is_some()
    }

    /// Presses keys, one after the other; `false` where one was not taken.
    pub fn press(&mut self, keys: &str) -> bool {
        keys.chars().all(|key| {
            let request = self.key(key);
            self.answer_to(&request) == Some(200)
        })
    }

    /// Presses a key of a server that may be gone before it answers.
    pub fn press_and_go(&mut self, key: char) {
        let request = self.key(key);
        self.agent.send(&request);
    }

    /// Which of these prompts is heard first; none where the call is silent or other prompts are heard.
    pub fn hears(&mut self, names: &[&'static str]) -> Option<&'static str> {
        self.hears_within(names, self.patience * HEARD_AFTER)
    }

    /// The same within a time.
    pub fn hears_within(&mut self, names: &[&'static str], time: Duration) -> Option<&'static str> {
        let end = Instant::now() + time;
        let mut buffer = [0; 2048];
        while Instant::now() < end {
            let Ok((length, _)) = self.media.recv_from(&mut buffer) else { continue };
            let heard = buffer.get(12..length).and_then(pitch_of);
            let frames = match (heard, self.last) {
                (Some(name), Some((last, frames))) if name == last => frames + 1,
                _ => 1,
            };
            self.last = heard.map(|name| (name, frames));
            if let Some(name) = heard.filter(|name| frames == FRAMES_HEARD && names.contains(name)) {
                return Some(name);
            }
        }
        None
    }

    /// Hangs up, where there is still who hears it.
    pub fn hang_up(&mut self) {
        let line = self.agent.line("BYE");
        let bye = self.agent.request(&line, self.next + 1, &[], "");
        self.agent.send(&bye);
    }

    fn key(&mut self, key: char) -> String {
        self.next += 1;
        let line = self.agent.line("INFO");
        let body = format!("Signal={key}\r\nDuration=100\r\n");
        self.agent.request(&line, self.next, &[("Content-Type", "application/dtmf-relay")], &body)
    }

    /// The code of the final response; none where no answer comes.
    fn answer_to(&mut self, request: &str) -> Option<u16> {
        let number = request.lines().find(|line| line.starts_with("CSeq:"))?.trim_start_matches("CSeq: ").to_owned();
        self.agent.send(request);
        loop {
            let message = self.agent.receive_within(self.patience)?;
            if message.code() >= 200 && message.header("CSeq") == Some(&number) {
                return Some(message.code());
            }
        }
    }
}

/// The prompt whose pitch a frame of µ-law has.
fn pitch_of(frame: &[u8]) -> Option<&'static str> {
    let samples: Vec<f32> = frame.iter().map(|code| f32::from(Law::Mu.decode(*code))).collect();
    let energy: f32 = samples.iter().map(|s| s * s).sum();
    if samples.len() != FRAME || energy < 1e6 {
        return None;
    }
    let share = |pitch: u16| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let angle = TAU * f32::from(pitch) * n as f32 / 8000.0;
            re += sample * angle.cos();
            im += sample * angle.sin();
        }
        2.0 * (re * re + im * im) / (energy * FRAME as f32)
    };
    PITCHES.into_iter().find(|(_, pitch)| share(*pitch) > PURE).map(|(name, _)| name)
}
