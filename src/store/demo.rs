//! The accounts, recordings and things of `serve --demo`: a throw-away store on the loopback only.

use super::{Admin, AdminError, Store, System};
use crate::access::{Context, ItemKind, Role, TrunkKind};
use crate::model::{Audio, Extension, ItemNumber, Mac, Pin, RecordingNumber};

struct DemoAccount {
    extension: &'static str,
    role: Option<Role>,
    pin: &'static str,
    voicemail_pin: &'static str,
}

const fn account(
    extension: &'static str,
    role: Option<Role>,
    pin: &'static str,
    voicemail_pin: &'static str,
) -> DemoAccount {
    DemoAccount { extension, role, pin, voicemail_pin }
}

const ACCOUNTS: [DemoAccount; 7] = [
    account("1000", Some(Role::ServerAdministrator), "61849273", "840296"),
    account("1001", Some(Role::SystemAdministrator), "52961847", "920471"),
    account("1002", Some(Role::PhoneAdministrator), "83517294", "730185"),
    account("1003", Some(Role::NetworkAdministrator), "74926185", "614093"),
    account("1004", Some(Role::SupportTechnician), "29618374", "851730"),
    account("1005", None, "904826", "407193"),
    account("1006", None, "618049", "395062"),
];

/// Numbers and names of the demo's recordings.
pub const RECORDINGS: [(u32, &str); 5] =
    [(1, "main greeting"), (2, "after hours"), (3, "holiday"), (4, "hold message"), (5, "emergency closing")];

/// The demo's things: an attendant, a hunt group, a call center, lines, a gateway and a proxy. None has a URI, so that
/// nobody is asked whether it answers.
const THINGS: [(ItemKind, u32, &str); 7] = [
    (ItemKind::Attendant, 1, "main"),
    (ItemKind::Group, 1, "front desk"),
    (ItemKind::CallCenter, 1, "support"),
    (ItemKind::Trunk(TrunkKind::Line), 1, "line one"),
    (ItemKind::Trunk(TrunkKind::Line), 2, "line two"),
    (ItemKind::Trunk(TrunkKind::Gateway), 1, "branch office"),
    (ItemKind::Trunk(TrunkKind::Proxy), 1, "provider"),
];

/// Who is in the hunt group, in this order.
const MEMBERS: [&str; 2] = ["1005", "1006"];

/// Handsets that are nobody's yet.
const HANDSETS: [(Mac, &str); 2] =
    [(Mac([0x00, 0x04, 0xf2, 0x00, 0x00, 0x01]), "desk"), (Mac([0x00, 0x04, 0xf2, 0x00, 0x00, 0x02]), "lobby")];

/// Fills a new store with the demo's people and recordings. `factory` gives the factory audio of a recording; none leaves it without a version.
pub async fn seed(
    store: &Store,
    ctx: &Context,
    factory: impl Fn(RecordingNumber) -> Option<Audio>,
) -> Result<(), AdminError> {
    for demo in &ACCOUNTS {
        let (Some(extension), Some(pin), Some(voicemail_pin)) =
            (Extension::parse(demo.extension), Pin::parse(demo.pin), Pin::parse(demo.voicemail_pin))
        else {
            continue;
        };
        let user = Admin::AddUser {
            extension: extension.clone(),
            name: demo.role.map_or("user", Role::name).replace('-', " "),
            username: None,
            roles: demo.role.into_iter().collect(),
            pin: Some(pin),
        };
        store.admin(ctx, user).await?;
        store.admin(ctx, Admin::SetVoicemailPin { extension, pin: voicemail_pin }).await?;
    }
    for (number, name) in RECORDINGS {
        let number = RecordingNumber(number);
        let name = name.to_owned();
        store.admin(ctx, Admin::AddRecording { number, name, audio: factory(number) }).await?;
    }
    Ok(())
}

/// Adds the demo's things to a store that has its people and recordings.
pub async fn furnish(store: &Store, ctx: &Context) -> Result<(), AdminError> {
    let first = ItemNumber(1);
    for (kind, number, name) in THINGS {
        let (number, name) = (ItemNumber(number), name.to_owned());
        let item = System::AddItem { kind, number, name, uri: None, spoken_name: None };
        store.admin(ctx, Admin::System(item)).await?;
    }
    let greeting = System::SetAttendant { number: first, recording: RecordingNumber(1) };
    store.admin(ctx, Admin::System(greeting)).await?;
    for extension in MEMBERS.into_iter().filter_map(Extension::parse) {
        store.admin(ctx, Admin::System(System::AddMember { number: first, extension })).await?;
    }
    for (mac, name) in HANDSETS {
        store.admin(ctx, Admin::AddHandset { mac, name: name.to_owned() }).await?;
    }
    Ok(())
}
