//! The shell: sockets, clocks and threads, and nothing that decides.

mod accounts;
pub mod backup;
mod caller;
mod clock;
mod demo;
mod facts;
mod files;
mod log;
mod log_files;
mod media;
pub mod panics;
mod passwords;
mod ports;
mod probes;
pub mod prompts;
mod reload;
mod requests;
mod rtp_socket;
mod security;
mod settings;
mod signalling;
mod systemd;
mod transport;
mod watchdog;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Sender, channel};

use crate::access::TollPolicy;
use crate::call::CallLimits;
use crate::config::{Config, DigestAlgorithm, Transport};
use crate::effects::{EffectOptions, Hook, Runner};
use crate::media::prompts::Prompts;
use crate::media::recorder::RecordLimits;
use crate::menu::{Limits, SiteName};
use crate::sip::{Algorithm, Endpoint, EndpointConfig};
use crate::store::{HookOn, LoginLimits, Store, StoreOptions};
pub use clock::Clock;
use facts::Facts;
use media::{Outside, Thread};
use ports::Ports;
use probes::Prober;
use reload::{Reload, Sources};
use requests::Requests;
use settings::Settings;
use signalling::{Order, Parts, Signalling};
use transport::{Certificates, INBOUND_MAX, Listening, Patience, Transports};
use watchdog::Feeder;

/// After the last call, how long drafts and replies under way are waited for.
const SETTLE_WITHIN: Duration = Duration::from_millis(600);
/// How long the store is waited for when it is closed; what was confirmed is on the disk already.
const CLOSE_WITHIN: Duration = Duration::from_millis(200);

/// Serves until SIGTERM or SIGINT; see the command line's `serve`.
pub async fn serve(config: Config, is_demo: bool) -> anyhow::Result<()> {
    let (config, _demo_folder) = if is_demo {
        let (config, folder) = demo::adapt(config)?;
        (config, Some(folder))
    } else {
        (config, None)
    };
    let log = log::start(&config)?;
    let clock = Clock::start();
    let folder = prompts::find(&config.prompts.folder, config.prompts.language)?;
    let loaded = Arc::new(prompts::load(&folder, config.prompts.language));
    // What is begun at a start must not disturb a `serve` that runs already: the ports and the store's lock come first.
    let (store, _serving) = if is_demo {
        (demo::store(store_options(&config)?, &folder).await?, None)
    } else {
        let (store, serving) = Store::serve(store_options(&config)?).await?;
        (store, Some(serving))
    };
    let (inbound, messages) = channel(INBOUND_MAX);
    let (orders, order_queue) = channel(config.sip.calls_max as usize + 64);
    let certificates = certificates(&config)?;
    let transports = Transports::listen(listening(&config, certificates.clone(), clock), &inbound)?;
    let prober = Prober { store: store.clone(), orders: orders.clone(), connector: transports.connector() };
    drop(inbound);
    let in_progress = Arc::new(AtomicU32::new(0));
    let runner = Runner::new(store.clone(), effect_options(&config), Arc::clone(&in_progress), Clock::wall)
        .with_log(log.controls());
    runner.prepare().await?;
    let under_way = Arc::new(AtomicU32::new(0));
    let outside: Arc<dyn Outside> = Arc::new(Requests {
        runtime: tokio::runtime::Handle::current(),
        store: store.clone(),
        orders: orders.clone(),
        in_progress: Arc::clone(&in_progress),
        under_way: Arc::clone(&under_way),
        facts: Arc::new(facts(&config, &store)),
    });
    let threads = start_threads(clock, &outside)?;
    let seed = random_seed()?;
    let signalling = Signalling::new(Parts {
        clock,
        settings: Settings::new(&config, call_limits(&config)),
        endpoint: Endpoint::new(endpoint_config(&config)?, seed),
        transports,
        threads: threads.clone(),
        ports: Ports::new(config.media.ports, u16::from_be_bytes([seed[0], seed[1]]), files::raise_limit()),
        prompts: Arc::clone(&loaded),
        site: site_name(&store).await?,
        in_progress: Arc::clone(&in_progress),
    });
    let feeder = Feeder { orders: orders.clone(), threads: threads.clone(), store: store.clone(), in_progress };
    let mut effects = tokio::spawn(runner.run());
    let mut sip = tokio::spawn(signalling.run(messages, order_queue));
    let probing = tokio::spawn(prober.run());
    // Before `ready:`, so that who reads it may send one at once.
    let signals = Signals::new()?;
    announce(&config, is_demo);
    if let Some(within) = systemd::watchdog() {
        tokio::spawn(feeder.run(within));
    }
    tokio::spawn(add_languages(Arc::clone(&loaded), folder.clone(), orders.clone()));
    let accounts = config.sip.accounts.as_slice().into();
    let reload = Reload::new(Sources { folder, certificates, accounts }, orders.clone(), loaded);
    watch_signals(signals, &config, reload, &orders, &mut sip).await?;
    probing.abort();
    settle(&threads, &under_way).await;
    effects.abort();
    let _ = (&mut effects).await;
    let _ = tokio::time::timeout(CLOSE_WITHIN, store.close()).await;
    Ok(())
}

fn start_threads(clock: Clock, outside: &Arc<dyn Outside>) -> anyhow::Result<Vec<Thread>> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    (0..count).map(|n| Ok(Thread::start(n, clock, Arc::clone(outside))?)).collect()
}

fn facts(config: &Config, store: &Store) -> Facts {
    Facts {
        started: Clock::wall(),
        store: store.options().path.clone(),
        listens: config.sip.listen.iter().map(|listen| listen.address.ip()).collect(),
    }
}

/// Says on standard output that calls are taken, and tells systemd. Neither has to be there.
fn announce(config: &Config, is_demo: bool) {
    let listens: Vec<String> = config.sip.listen.iter().map(ToString::to_string).collect();
    let greeting = if is_demo { demo::greeting(config) } else { String::new() };
    let ready = format!("ready: extension {} on {}\n", config.sip.extensions.join(", "), listens.join(", "));
    let mut out = std::io::stdout().lock();
    let _ = out.write_all((greeting + &ready).as_bytes()).and_then(|()| out.flush());
    systemd::ready(&config.sip.extensions);
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Waits for signals until the SIP side has ended.
async fn watch_signals(
    mut signals: Signals,
    config: &Config,
    mut reload: Reload,
    orders: &Sender<Order>,
    sip: &mut tokio::task::JoinHandle<()>,
) -> anyhow::Result<()> {
    let mut draining = false;
    loop {
        tokio::select! {
            ended = &mut *sip => return Ok(ended?),
            _ = signals.terminate.recv() => {}
            _ = signals.interrupt.recv() => {}
            _ = signals.hang_up.recv() => {
                if draining {
                    tracing::info!("SIGHUP: nothing is read again while it drains");
                } else {
                    reload.begin();
                }
                continue;
            }
            () = reload.ended() => {
                // Once it stops it is not to be told that calls are taken.
                if !draining {
                    systemd::reloaded(&config.sip.extensions);
                    reload.begin_if_wanted();
                }
                continue;
            }
        }
        let order = if draining {
            Order::Stop
        } else {
            tracing::info!(seconds = config.sip.drain_seconds, "draining: no new calls");
            systemd::draining(config.sip.drain_seconds);
            Order::Drain(Duration::from_secs(u64::from(config.sip.drain_seconds)))
        };
        draining = true;
        if orders.send(order).await.is_err() {
            return Ok(());
        }
    }
}

/// Waits until the media threads have no call left and every request is answered.
async fn settle(threads: &[Thread], under_way: &AtomicU32) {
    let quiet = async {
        while threads.iter().any(|thread| thread.calls() > 0) || under_way.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(SETTLE_WITHIN, quiet).await.is_err() {
        tracing::warn!("something was still under way when the process ended");
    }
}

/// Reads the prompts of the other languages while calls are taken already.
async fn add_languages(loaded: Arc<Prompts>, folder: PathBuf, orders: Sender<Order>) {
    let all = tokio::task::spawn_blocking(move || prompts::load_others(&loaded, &folder)).await;
    if let Ok(all) = all {
        tracing::info!(clips = all.len(), "the prompts of all languages are there");
        // Who would take them may be gone: the process is ending.
        let _ = orders.send(Order::Prompts(Arc::new(all))).await;
    }
}

/// The certificates, where something is listened on that needs them.
fn certificates(config: &Config) -> anyhow::Result<Option<Arc<Certificates>>> {
    let is_wanted = config.sip.listen.iter().any(|listen| listen.transport == Transport::Tls);
    Ok(if is_wanted { Some(Arc::new(Certificates::read(&config.sip.tls)?)) } else { None })
}

fn listening(config: &Config, certificates: Option<Arc<Certificates>>, clock: Clock) -> Listening<'_> {
    let longest_call = Duration::from_secs(u64::from(config.menu.call_max_s));
    Listening {
        listens: &config.sip.listen,
        certificates,
        trusted: config.sip.trusted_peers.clone(),
        patience: Patience::with_calls_of(longest_call),
        clock,
    }
}

/// What callers hear of this site, where there are several.
async fn site_name(store: &Store) -> anyhow::Result<Option<SiteName>> {
    let site = store.spoken_site(store.site()).await?;
    Ok((site.sites > 1).then_some(SiteName { spoken: site.spoken_name, number: site.number }))
}

fn random_seed() -> anyhow::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no random numbers from the system: {error}"))?;
    Ok(seed)
}

fn endpoint_config(config: &Config) -> anyhow::Result<EndpointConfig> {
    Ok(EndpointConfig {
        calls_max: config.sip.calls_max as usize,
        trusted: config.sip.trusted_peers.clone(),
        accounts: accounts::read(&config.sip.accounts)?,
        algorithms: config.sip.digest.iter().copied().map(algorithm).collect(),
        ..EndpointConfig::new(config.sip.extensions.clone())
    })
}

fn algorithm(algorithm: DigestAlgorithm) -> Algorithm {
    match algorithm {
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
        DigestAlgorithm::Md5 => Algorithm::Md5,
    }
}

fn call_limits(config: &Config) -> CallLimits {
    let seconds = |s: u32| Duration::from_secs(u64::from(s));
    CallLimits {
        menu: Limits {
            first_key: seconds(config.menu.first_key_s),
            between_keys: seconds(config.menu.between_keys_s),
            silences: config.menu.silences,
            wrong_keys: config.menu.wrong_keys,
            call_max: seconds(config.menu.call_max_s),
            tries_per_call: config.login.tries_per_call,
        },
        record: RecordLimits {
            silence: seconds(config.recordings.silence_s),
            length: seconds(config.recordings.length_max_s),
        },
        rtp_silence: seconds(config.menu.rtp_silence_s),
    }
}

/// How the store is opened, by the configuration.
pub fn store_options(config: &Config) -> anyhow::Result<StoreOptions> {
    let path = StoreOptions::path_of(&config.store.url)?;
    let hooks = config.effects.hooks.iter().map(|hook| HookOn { on: hook.on.clone(), run: hook.run.clone() });
    Ok(StoreOptions {
        site: config.site.name.clone(),
        login: LoginLimits {
            lock_after: config.login.lock_after,
            lock_s: config.login.lock_s,
            lock_max_s: config.login.lock_max_s,
            unlock_after: config.login.unlock_after,
            source_lock_after: config.login.unlock_after,
            source_tries_per_minute: config.login.source_tries_per_minute,
            overall_tries_per_minute: config.login.overall_tries_per_minute,
            temporary_pin_hours: config.login.temporary_pin_hours,
        },
        toll: TollPolicy { allowed: config.forwarding.allowed.clone(), denied: config.forwarding.denied.clone() },
        reboot_delay_s: config.effects.reboot.delay_s,
        hooks: hooks.collect(),
        export: !config.recordings.export_folder.is_empty(),
        recording_s_max: config.recordings.length_max_s,
        destructive_needs_encryption: config.media.destructive_needs_srtp,
        ..StoreOptions::new(path)
    })
}

fn effect_options(config: &Config) -> EffectOptions {
    let hook = |hook: &crate::config::Hook| Hook {
        run: hook.run.clone(),
        timeout: Duration::from_secs(u64::from(hook.timeout_s)),
    };
    EffectOptions {
        boot_id_file: config.effects.boot_id_file.clone(),
        reboot_run: config.effects.reboot.run.clone(),
        hooks: config.effects.hooks.iter().map(hook).collect(),
        export_folder: (!config.recordings.export_folder.is_empty())
            .then(|| PathBuf::from(&config.recordings.export_folder)),
        backup: backup::options(config),
        ..EffectOptions::default()
    }
}
