//! What SIGHUP has read again while calls go on: passwords of SIP accounts, certificates for new connections, prompts for new
//! calls.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::Sender;
use tokio::task::{JoinSet, spawn_blocking};

use crate::config::SipAccount;
use crate::media::prompts::Prompts;
use crate::server::signalling::Order;
use crate::server::transport::Certificates;
use crate::server::{accounts, prompts, systemd};

/// What is read.
#[derive(Clone)]
pub struct Sources {
    /// The prompts' folder.
    pub folder: PathBuf,
    /// The certificates, where there are any.
    pub certificates: Option<Arc<Certificates>>,
    /// The accounts whose passwords are in files.
    pub accounts: Arc<[SipAccount]>,
}

/// Reads one after the other, so that what was read last is what is heard.
pub struct Reload {
    sources: Sources,
    orders: Sender<Order>,
    /// The prompts of new calls.
    in_use: Arc<Prompts>,
    /// The reading that is under way, one at most; it gives what is in use then.
    reading: JoinSet<Arc<Prompts>>,
    is_wanted_again: bool,
}

impl Reload {
    /// Of what was read at the start.
    pub fn new(sources: Sources, orders: Sender<Order>, in_use: Arc<Prompts>) -> Self {
        Self { sources, orders, in_use, reading: JoinSet::new(), is_wanted_again: false }
    }

    /// Begins to read; where that is under way, it is wanted once more.
    pub fn begin(&mut self) {
        if !self.reading.is_empty() {
            self.is_wanted_again = true;
            return;
        }
        systemd::reloading();
        self.reading.spawn(read(self.sources.clone(), self.orders.clone(), Arc::clone(&self.in_use)));
    }

    /// Waits until what was begun is done; for ever where nothing was. May be given up and called again.
    pub async fn ended(&mut self) {
        match self.reading.join_next().await {
            Some(Ok(in_use)) => self.in_use = in_use,
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// Begins to read once more, where that was wanted meanwhile.
    pub fn begin_if_wanted(&mut self) {
        if std::mem::take(&mut self.is_wanted_again) {
            self.begin();
        }
    }
}

/// Reads the passwords and the certificates, then the prompts of all languages. What can't be used leaves in use what is;
/// which prompts are used then.
async fn read(sources: Sources, orders: Sender<Order>, in_use: Arc<Prompts>) -> Arc<Prompts> {
    let Sources { folder, certificates, accounts } = sources;
    if let Ok(accounts) = spawn_blocking(move || accounts::read_again(&accounts)).await {
        tracing::info!(accounts = accounts.len(), "passwords were read again");
        // Who would take them may be gone: the process is ending.
        let _ = orders.send(Order::Passwords(accounts)).await;
    }
    let before = Arc::clone(&in_use);
    let read = spawn_blocking(move || {
        if let Some(certificates) = certificates {
            renew(&certificates);
        }
        prompts::load_again(&in_use, &folder)
    });
    match read.await {
        Ok(Ok(all)) => {
            tracing::info!(clips = all.len(), "prompts were read again");
            let all = Arc::new(all);
            let _ = orders.send(Order::Prompts(Arc::clone(&all))).await;
            all
        }
        Ok(Err(error)) => {
            tracing::error!(
                %error,
                "the new prompts can't be used, the old ones stay in use: mend them (`switchhook prompts check` names \
                 all) and send SIGHUP again"
            );
            before
        }
        Err(_) => before,
    }
}

fn renew(certificates: &Certificates) {
    match certificates.reload() {
        Ok(()) => tracing::info!("the certificates were read again"),
        Err(error) => tracing::error!(
            %error,
            "the new certificates can't be used, the old ones stay in use: mend them and send SIGHUP again"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tokio::sync::mpsc::{Receiver, channel};

    use super::*;
    use crate::model::{Audio, Language};
    use crate::wire::wav;

    /// A folder of prompts, and what reads them again.
    struct World {
        folder: tempfile::TempDir,
        reload: Reload,
        inbox: Receiver<Order>,
    }

    impl World {
        /// With these clips of English, the default language.
        fn new(clips: &[&str]) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            clips.iter().for_each(|clip| put(folder.path(), "en", clip));
            let (orders, inbox) = channel(10);
            let loaded = prompts::load(folder.path(), Language::English);
            assert_eq!(loaded.len(), clips.len());
            let sources = Sources { folder: folder.path().to_owned(), certificates: None, accounts: Arc::default() };
            let reload = Reload::new(sources, orders, Arc::new(loaded));
            Self { folder, reload, inbox }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// How many clips new calls are given; `None` where they go on with those they have.
        fn given(&mut self) -> Option<usize> {
            let orders = std::iter::from_fn(|| self.inbox.try_recv().ok());
            orders.into_iter().find_map(|order| if let Order::Prompts(all) = order { Some(all.len()) } else { None })
        }

        async fn read(&mut self) -> Option<usize> {
            self.reload.begin();
            self.reload.ended().await;
            self.given()
        }
    }

    fn put(folder: &Path, language: &str, clip: &str) {
        let (language, audio) = (folder.join(language), Audio(vec![900; 800].into()));
        fs::create_dir_all(&language).expect("the language");
        fs::write(language.join(format!("{clip}.wav")), wav::write(&audio).expect("a file")).expect("written");
    }

    /// A package that is being replaced: its files are gone for a while, or half written.
    #[tokio::test]
    async fn prompts_that_have_got_worse_are_not_used() {
        let mut world = World::new(&["beep", "welcome"]);
        assert_eq!(world.read().await, Some(2));
        fs::remove_file(world.path("en/beep.wav")).expect("removed");
        assert_eq!(world.read().await, None, "one is missing");
        fs::write(world.path("en/beep.wav"), b"RIFF").expect("written");
        assert_eq!(world.read().await, None, "one is broken");
        fs::remove_dir_all(world.path("en")).expect("removed");
        assert_eq!(world.read().await, None, "all are gone");
        for clip in ["beep", "welcome", "goodbye"] {
            put(world.folder.path(), "en", clip);
        }
        assert_eq!(world.read().await, Some(3));
        fs::remove_file(world.path("en/goodbye.wav")).expect("removed");
        assert_eq!(world.read().await, None, "what came by a reload counts as well");
    }

    /// What another language lacks is heard in the default one; what the default one always lacked is no new fault.
    #[tokio::test]
    async fn other_languages_and_old_faults_keep_no_prompts_out() {
        let mut world = World::new(&["beep"]);
        put(world.folder.path(), "de", "beep");
        assert_eq!(world.read().await, Some(2));
        fs::remove_file(world.path("de/beep.wav")).expect("removed");
        assert_eq!(world.read().await, Some(1));
    }

    #[tokio::test]
    async fn what_is_asked_for_while_it_is_read_is_read_once_more() {
        let mut world = World::new(&["beep"]);
        (0..3).for_each(|_| world.reload.begin());
        world.reload.ended().await;
        world.reload.begin_if_wanted();
        assert_eq!(world.given(), Some(1));
        world.reload.ended().await;
        world.reload.begin_if_wanted();
        assert_eq!((world.given(), world.given()), (Some(1), None));
        assert!(world.reload.reading.is_empty(), "nothing is read a third time");
    }
}
