//! `serve --demo`: a throw-away store, the loopback only, effects that do no harm.

use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::access::Context;
use crate::config::{Backup, Config, Listen, Reboot, Sip, Transport};
use crate::model::{Audio, RecordingNumber};
use crate::server::clock::Clock;
use crate::server::prompts;
use crate::store::{Store, StoreOptions, demo};

/// The demo's folder; it is removed when this is dropped.
pub struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes a configuration fit for the demo. `sip.listen` stays; effects are the demo's own harmless ones, whatever the
/// file says: only environment variables (of who starts a demo, and nobody else) name others.
pub fn adapt(mut config: Config) -> anyhow::Result<(Config, Folder)> {
    if config.sip.listen == Sip::default().listen {
        let address = SocketAddr::from(([127, 0, 0, 1], 5060));
        config.sip.listen = [Transport::Udp, Transport::Tcp].map(|transport| Listen { transport, address }).into();
    }
    if let Some(listen) = config.sip.listen.iter().find(|listen| !listen.address.ip().is_loopback()) {
        bail!(
            "{listen}: the demo's PINs are public, so it listens on the loopback only; choose 127.0.0.1 in [sip] listen"
        );
    }
    config.sip.trusted_peers = ["127.0.0.0/8", "::1"].into_iter().filter_map(|prefix| prefix.parse().ok()).collect();
    let own = Config::from_environment()?;
    config.effects = own.effects;
    config.recordings.export_folder = own.recordings.export_folder;
    let folder = folder()?;
    config.store.url = format!("sqlite://{}", folder.join("switchhook.db").display());
    if config.recordings.export_folder.is_empty() {
        config.recordings.export_folder = folder.join("recordings").display().to_string();
    }
    if config.effects.reboot.run == Reboot::default().run {
        config.effects.reboot.run = vec!["true".into()];
    }
    if config.effects.backup == Backup::default() {
        config.effects.backup.folder = folder.join("backups").display().to_string();
    }
    if config.effects.logging == crate::config::Logging::default() {
        config.effects.logging.folder = String::new();
    }
    Ok((config, Folder(folder)))
}

/// Makes the demo's store, with its accounts, recordings and things.
pub async fn store(options: StoreOptions, folder: &Path) -> anyhow::Result<Store> {
    let store = Store::create(options).await?;
    let ctx = Context::without_call(Clock::wall(), store.site(), "demo");
    let audio = |number: RecordingNumber| {
        let file = prompts::read(&folder.join(prompts::DEMO).join(format!("{}.wav", number.0))).ok()?;
        Some(Audio(file.samples.into()))
    };
    demo::seed(&store, &ctx, audio).await?;
    demo::furnish(&store, &ctx).await?;
    Ok(store)
}

/// How to call, in lines.
pub fn greeting(config: &Config) -> String {
    let Some(listen) = config.sip.listen.first() else { return String::new() };
    let user = config.sip.extensions.first().map_or("7000", String::as_str);
    let transport = match listen.transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
        Transport::Tls => ";transport=tls",
    };
    format!(
        "dial sip:{user}@{}{transport}\nlog in as 1000, PIN 61849273 (README.md has the other accounts)\n\
         store {} (gone when the demo ends)\n",
        listen.address, config.store.url
    )
}

/// A folder that nobody else can read.
fn folder() -> anyhow::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no random numbers from the system: {error}"))?;
    let name = format!("switchhook-demo-{:016x}", u64::from_be_bytes(random));
    let folder = std::env::temp_dir().join(name);
    DirBuilder::new().mode(0o700).create(&folder).with_context(|| format!("{}: can't be made", folder.display()))?;
    Ok(folder)
}
