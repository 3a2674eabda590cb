//! The accounts and recordings of `serve --demo`: a throw-away store on the loopback only.

use super::{Admin, AdminError, Store};
use crate::access::{Context, Role};
use crate::model::{Audio, Extension, Pin, RecordingNumber};

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

/// Fills a new store. `factory` gives the factory audio of a recording; none leaves it without a version.
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
