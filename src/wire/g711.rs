//! G.711 µ-law and A-law by tables of 256 entries (ITU-T G.711; the formulas are those of G.191's software tools).

/// Samples to a 20 ms frame at 8 kHz, and its bytes in G.711.
pub const FRAME: usize = 160;

/// One of the two laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// µ-law, RTP payload type 0.
    Mu,
    /// A-law, RTP payload type 8.
    A,
}

impl Law {
    /// The linear sample of a code.
    pub fn decode(self, code: u8) -> i16 {
        match self {
            Law::Mu => MU_DECODE[usize::from(code)],
            Law::A => A_DECODE[usize::from(code)],
        }
    }

    /// The code nearest to a linear sample.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Law::Mu => mu_encode(sample),
            Law::A => a_encode(sample),
        }
    }

    /// The code of silence.
    pub fn silence(self) -> u8 {
        match self {
            Law::Mu => 0xFF,
            Law::A => 0xD5,
        }
    }
}

static MU_DECODE: [i16; 256] = table(true);
static A_DECODE: [i16; 256] = table(false);

const fn table(mu: bool) -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = if mu { mu_decode(code as u8) } else { a_decode(code as u8) };
        code += 1;
    }
    table
}

const fn mu_decode(code: u8) -> i16 {
    let magnitude = !code & 0x7F;
    let segment = magnitude >> 4;
    let step = (magnitude & 0x0F) as i16;
    let level = (((step << 3) + 0x84) << segment) - 0x84;
    if code & 0x80 == 0 { -level } else { level }
}

const fn a_decode(code: u8) -> i16 {
    let magnitude = (code ^ 0x55) & 0x7F;
    let segment = magnitude >> 4;
    let step = ((magnitude & 0x0F) as i16) << 4;
    let level = match segment {
        0 => step + 8,
        _ => (step + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 { -level } else { level }
}

fn mu_encode(sample: i16) -> u8 {
    // One's complement for negatives, as G.191 has it: -1 and 0 are both the smallest magnitude.
    let magnitude = (if sample < 0 { !sample } else { sample } >> 2) as u16 + 33;
    let magnitude = magnitude.min(0x1FFF);
    let segment = 15 - (magnitude | 0x3F).leading_zeros() as u16 - 5;
    let code = ((8 - segment - 1) << 4) | (0x0F - ((magnitude >> (segment + 1)) & 0x0F));
    if sample < 0 { code as u8 } else { code as u8 | 0x80 }
}

fn a_encode(sample: i16) -> u8 {
    let magnitude = (if sample < 0 { !sample } else { sample } >> 4) as u16;
    let code = match magnitude {
        0..=15 => magnitude,
        _ => {
            let segment = 15 - magnitude.leading_zeros() as u16 - 3;
            (segment << 4) | ((magnitude >> (segment - 1)) & 0x0F)
        }
    };
    (if sample < 0 { code as u8 } else { code as u8 | 0x80 }) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        for law in [Law::Mu, Law::A] {
            for code in 0..=255u8 {
                let again = law.encode(law.decode(code));
                // µ-law has two zeros; the negative one comes back as the positive.
                assert!(
                    again == code || (law == Law::Mu && code == 0x7F && again == 0xFF),
                    "{law:?} {code:#x} {again:#x}"
                );
            }
        }
    }

    #[test]
    fn each_sample_goes_to_a_code_near_it() {
        for law in [Law::Mu, Law::A] {
            for sample in i16::MIN..=i16::MAX {
                let error = i32::from(sample) - i32::from(law.decode(law.encode(sample)));
                let step = (i32::from(sample).abs() / 16).max(16);
                assert!(error.abs() <= step, "{law:?} {sample} is off by {error}");
            }
        }
    }

    #[test]
    fn known_codes_of_the_recommendation() {
        assert_eq!(Law::Mu.decode(0x80), 32124);
        assert_eq!(Law::Mu.decode(0x00), -32124);
        assert_eq!(Law::A.decode(0xAA), 32256);
        assert_eq!(Law::A.decode(0x2A), -32256);
        assert_eq!((Law::Mu.encode(0), Law::A.encode(0)), (0xFF, 0xD5));
    }
}
