//! Keys of an [`Agent`]'s call, by each of the three ways in which they can come.

use std::f32::consts::TAU;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use switchhook::wire::g711::Law;
use switchhook::wire::rtp::Packet;

use super::agent::{Agent, Message};

/// Samples in a packet.
const FRAME: usize = 160;
/// The frequencies of the keypad's rows and columns (ITU-T Q.23), in hertz.
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 3] = [1209.0, 1336.0, 1477.0];
const KEYS: &str = "123456789*0#";

/// The stream in which keys are sent.
pub struct Keypad {
    to: SocketAddr,
    sequence: u16,
    timestamp: u32,
}

impl Keypad {
    /// Of a call that was answered so.
    pub fn new(answer: &Message) -> Self {
        let field = |name: &str| answer.body().lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        let address = field("c=IN IP4 ").expect("an address");
        let port = field("m=audio ").and_then(|media| media.split(' ').next().map(str::to_owned)).expect("a port");
        let to = format!("{address}:{port}").parse().expect("where media goes");
        Self { to, sequence: 1, timestamp: 160 }
    }

    /// By telephone-events (RFC 4733), payload type 101.
    pub fn events(&mut self, agent: &Agent, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '*' => 10,
                '#' => 11,
                digit => digit as u8 - b'0',
            };
            for (n, end) in [(1_u16, 0), (2, 0x80), (2, 0x80)] {
                let [high, low] = (n * 160).to_be_bytes();
                self.send(agent, 101, n == 1, &[code, end | 10, high, low]);
                // Fewer keys a second than a call may bring.
                sleep(Duration::from_millis(20));
            }
            self.timestamp += 1600;
        }
    }

    /// By tones of 100 ms, in PCMU.
    pub fn tones(&mut self, agent: &Agent, keys: &str) {
        for key in keys.chars() {
            let at = KEYS.find(key).expect("a key");
            let (row, column) = (ROWS[at / 3], COLUMNS[at % 3]);
            for frame in 0..8 {
                let sample = |n: usize| {
                    let wave = |frequency: f32| (TAU * frequency * (frame * FRAME + n) as f32 / 8000.0).sin();
                    if frame < 5 { ((wave(row) + wave(column)) * 6000.0) as i16 } else { 0 }
                };
                let payload: Vec<u8> = (0..FRAME).map(|n| Law::Mu.encode(sample(n))).collect();
                self.send(agent, 0, false, &payload);
                self.timestamp += FRAME as u32;
                sleep(Duration::from_millis(20));
            }
        }
    }

    /// By SIP INFO, numbered from `number`; gives the next number.
    pub fn info(agent: &mut Agent, number: u32, keys: &str) -> u32 {
        let mut number = number;
        for key in keys.chars() {
            let body = format!("Signal={key}\r\nDuration=100\r\n");
            let changes = [("Content-Type", "application/dtmf-relay")];
            let info = agent.request(&agent.line("INFO"), number, &changes, &body);
            assert_eq!(agent.ask(&info).code(), 200);
            number += 1;
        }
        number
    }

    fn send(&mut self, agent: &Agent, payload_type: u8, marker: bool, payload: &[u8]) {
        let (sequence, timestamp) = (self.sequence, self.timestamp);
        let packet = Packet { payload_type, marker, sequence, timestamp, ssrc: 7, payload };
        let mut bytes = [0; 200];
        let length = packet.write(&mut bytes).expect("it fits");
        agent.media().send_to(&bytes[..length], self.to).expect("sent");
        self.sequence += 1;
    }
}
