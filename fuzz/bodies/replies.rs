//! Replies of the store, of every kind.

use std::net::IpAddr;
use std::time::Duration;

use switchhook::access::{
    BackupState, Mode, ModeSetting, NetworkStatus, News, People, Permissions, Person, Reach, Refusal, Reply, Role,
    Session, Settings, SystemStatus, ToldChange, TrunkKind,
};
use switchhook::model::{
    AccountId, Audio, ChangeNumber, Civil, Extension, ItemNumber, Language, Mac, PhoneNumber, Pin, RecordingNumber,
};

use super::bytes::Bytes;

/// Whatever the store might answer, to whatever was asked.
pub fn reply(bytes: &mut Bytes<'_>) -> Reply {
    match bytes.below(16) {
        0 | 1 => Reply::LoggedIn(session(bytes)),
        2 | 3 => Reply::Refused(bytes.pick(&Refusal::ALL)),
        4 => Reply::Changed(change(bytes)),
        5 => Reply::Done,
        6 => Reply::Numbers((0..bytes.below(40)).map(|_| bytes.number(2) as u32).collect()),
        7 => Reply::Recording { factory: bytes.flag(), draft: option(bytes, audio) },
        8 => Reply::Audio(option(bytes, audio)),
        9 => Reply::TemporaryPin { pin: pin(bytes), change: change(bytes) },
        10 => Reply::User { spoken_name: option(bytes, audio), enabled: bytes.flag(), locked: bytes.flag() },
        11 => about_people(bytes),
        12 => about_the_system(bytes),
        13 => about_oneself(bytes),
        14 => about_reboots(bytes),
        _ => about_changes(bytes),
    }
}

fn about_people(bytes: &mut Bytes<'_>) -> Reply {
    match bytes.below(6) {
        0 => Reply::People(People {
            count: bytes.number(2) as u32,
            listed: (0..bytes.below(6)).map(|_| person(bytes)).collect(),
        }),
        1 => Reply::Handsets((0..bytes.below(6)).map(|_| Mac([bytes.byte(); 6])).collect()),
        2 => Reply::MayChange(person(bytes)),
        3 => Reply::CallCenter { open: bytes.flag() },
        4 => Reply::Attendant { recording: option(bytes, |bytes| RecordingNumber(bytes.number(3) as u32)) },
        _ => Reply::Who { by: option(bytes, extension), spoken_name: option(bytes, audio), at: option(bytes, civil) },
    }
}

fn about_the_system(bytes: &mut Bytes<'_>) -> Reply {
    match bytes.below(6) {
        0 => {
            let setting = bytes.pick(&[ModeSetting::Timetable, ModeSetting::Fixed(Mode::Day)]);
            Reply::Mode { mode: bytes.pick(&Mode::ALL), setting, until: option(bytes, civil) }
        }
        1 => Reply::Trunk { spoken_name: option(bytes, audio), enabled: bytes.flag(), reach: reach(bytes) },
        2 => Reply::Network(NetworkStatus {
            addresses: (0..bytes.below(4)).map(|_| address(bytes)).collect(),
            unreachable: (0..bytes.below(4))
                .map(|_| (bytes.pick(&TrunkKind::ALL), ItemNumber(bytes.number(3) as u32)))
                .collect(),
        }),
        3 => Reply::BackupStarted { id: bytes.number(2) as i64, change: change(bytes) },
        4 => Reply::Backup(bytes.pick(&[BackupState::Running, BackupState::Done(1 << 40), BackupState::Failed])),
        _ => Reply::Status(SystemStatus {
            version: [bytes.number(4) as u32, 0, 1],
            up_since: option(bytes, civil),
            calls: bytes.number(2) as u32,
            disk_used_percent: option(bytes, |bytes| bytes.byte()),
            store_bytes: bytes.number(8),
        }),
    }
}

fn about_oneself(bytes: &mut Bytes<'_>) -> Reply {
    match bytes.below(4) {
        0 => Reply::Forwarding { to: option(bytes, phone_number) },
        1 => Reply::Forwardings([option(bytes, phone_number), None, option(bytes, phone_number)]),
        2 => Reply::Dnd { on: bytes.flag(), change: change(bytes) },
        _ => Reply::Settings(Settings {
            forwarding: [None, option(bytes, phone_number), None],
            dnd: bytes.flag(),
            has_greeting: bytes.flag(),
            has_name: bytes.flag(),
            has_voicemail_pin: bytes.flag(),
            has_support_pin: bytes.flag(),
            language: option(bytes, |bytes| bytes.pick(&Language::ALL)),
        }),
    }
}

fn about_reboots(bytes: &mut Bytes<'_>) -> Reply {
    match bytes.below(3) {
        0 => Reply::RebootState { other_calls: bytes.number(4) as u32, waiting: bytes.flag(), failed: bytes.flag() },
        1 => Reply::RebootRequested { delay_s: bytes.number(4) as u32, change: change(bytes) },
        _ => Reply::LastBackup { last: option(bytes, |bytes| (civil(bytes), bytes.number(8))) },
    }
}

fn about_changes(bytes: &mut Bytes<'_>) -> Reply {
    match bytes.below(2) {
        0 => Reply::Changes((0..bytes.below(6)).map(|_| told(bytes)).collect()),
        _ => Reply::MayUndo(told(bytes)),
    }
}

fn session(bytes: &mut Bytes<'_>) -> Session {
    let roles: Vec<Role> = Role::ALL.into_iter().filter(|_| bytes.flag()).collect();
    Session {
        id: AccountId(bytes.number(1) as i64),
        extension: extension(bytes),
        granted: Permissions::of(&roles),
        has_role: !roles.is_empty(),
        language: option(bytes, |bytes| bytes.pick(&Language::ALL)),
        spoken_name: option(bytes, audio),
        must_change_pin: bytes.flag(),
        pin_resets: 0,
        news: if bytes.flag() { vec![News::RebootDone, News::BackupFailed] } else { Vec::new() },
    }
}

fn told(bytes: &mut Bytes<'_>) -> ToldChange {
    let actions =
        ["forwarding.changed", "recording.changed", "voicemail_pin.changed", "mode.changed", "nothing.known", ""];
    let targets = ["1000", "always", "1000 always", "night", "7", ""];
    ToldChange {
        number: change(bytes),
        by: option(bytes, person),
        action: bytes.pick(&actions).to_owned(),
        target: bytes.pick(&targets).to_owned(),
        at: option(bytes, civil),
    }
}

fn option<T>(bytes: &mut Bytes<'_>, of: impl Fn(&mut Bytes<'_>) -> T) -> Option<T> {
    if bytes.flag() { Some(of(bytes)) } else { None }
}

fn person(bytes: &mut Bytes<'_>) -> Person {
    Person { extension: extension(bytes), spoken_name: option(bytes, audio) }
}

fn audio(bytes: &mut Bytes<'_>) -> Audio {
    Audio(vec![900; bytes.below(256) * 8].into())
}

fn change(bytes: &mut Bytes<'_>) -> ChangeNumber {
    ChangeNumber(bytes.pick(&[1, 7, 21, 100, 1_000_000, i64::MAX]))
}

fn extension(bytes: &mut Bytes<'_>) -> Extension {
    let digits = digits(bytes, 16);
    Extension::parse(&digits).unwrap_or_else(|| unreachable!("digits"))
}

fn phone_number(bytes: &mut Bytes<'_>) -> PhoneNumber {
    let digits = digits(bytes, 32);
    PhoneNumber::parse(&digits).unwrap_or_else(|| unreachable!("digits"))
}

fn pin(bytes: &mut Bytes<'_>) -> Pin {
    Pin::parse(&digits(bytes, 16)).unwrap_or_default()
}

fn digits(bytes: &mut Bytes<'_>, most: usize) -> String {
    let (length, digit) = (1 + bytes.below(most), bytes.below(10));
    (0..length).map(|at| char::from(b'0' + ((at + digit) % 10) as u8)).collect()
}

fn reach(bytes: &mut Bytes<'_>) -> Reach {
    bytes.pick(&[
        Reach::Unknown,
        Reach::Unreachable,
        Reach::Reachable(Duration::from_millis(17)),
        Reach::Reachable(Duration::MAX),
    ])
}

fn address(bytes: &mut Bytes<'_>) -> IpAddr {
    if bytes.flag() {
        IpAddr::from([192, 0, 2, bytes.byte()])
    } else {
        IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1u16])
    }
}

fn civil(bytes: &mut Bytes<'_>) -> Civil {
    Civil {
        year: bytes.number(2) as u16,
        month: 1 + bytes.below(12) as u8,
        day: 1 + bytes.below(31) as u8,
        weekday: bytes.below(7) as u8,
        hour: bytes.below(24) as u8,
        minute: bytes.below(60) as u8,
    }
}
