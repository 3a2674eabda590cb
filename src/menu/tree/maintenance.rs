//! 6 Maintenance, and the PIN that confirms what is destructive anywhere.

use crate::access::{Permission, Permissions, RebootWhen};
use crate::menu::entry::Digits;

use super::{
    Answer, CHANGES, Function, Goes, MENU, MENU_ABOUT, Menu, Place, Question, ROLE, TRUNK, USER, ask, at, back, choice,
    menu, question, to, unsaid,
};

/// What a key does for the upkeep of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maintenance {
    /// Backs up now.
    StartBackup,
    /// Goes on without waiting for the backup.
    LeaveBackup,
    /// Says when the last good backup was.
    LastBackup,
    /// Opens the reboot menu.
    AskReboot,
    /// Reboots, once confirmed.
    Reboot(RebootWhen),
    /// Cancels a reboot.
    CancelReboot,
    /// Logs in detail or normally.
    SetLogging {
        /// Whether in detail.
        detailed: bool,
    },
    /// Closes the log file and starts another.
    NewLogFile,
    /// Says the system's state.
    Status,
    /// Leaves a confirmation without confirming.
    LeaveConfirm,
}

impl Maintenance {
    pub(super) fn opens(self) -> Vec<Place> {
        match self {
            Maintenance::StartBackup => vec![menu(&BACKUP_WAIT)],
            Maintenance::LeaveBackup => vec![menu(&MAINTENANCE)],
            Maintenance::LastBackup | Maintenance::Status => Vec::new(),
            Maintenance::AskReboot => vec![menu(&REBOOT)],
            Maintenance::Reboot(_) => vec![at(&CONFIRM)],
            Maintenance::CancelReboot => vec![menu(&REBOOT)],
            Maintenance::SetLogging { .. } | Maintenance::NewLogFile => Vec::new(),
            Maintenance::LeaveConfirm => vec![menu(&USER), menu(&TRUNK), menu(&REBOOT), menu(&ROLE), menu(&CHANGES)],
        }
    }
}

/// Maintenance.
pub static MAINTENANCE: Menu = Menu {
    clip: "maintenance-menu",
    choices: &[
        choice('1', "maintenance-backup", "Back up now", maintenance(Maintenance::StartBackup))
            .needing(Permission::BackupRun),
        choice('2', "maintenance-last-backup", "The last good backup", maintenance(Maintenance::LastBackup))
            .needing(Permission::BackupRun),
        choice('3', "maintenance-reboot", "Reboot", maintenance(Maintenance::AskReboot)).needing(Permission::RebootRun),
        choice('4', "maintenance-logging", "Logging", to(&LOGGING)).needing(Permission::LoggingManage),
        choice('5', "maintenance-support-pin", "Verify a support PIN", ask(&SUPPORT_EXTENSION))
            .needing(Permission::SupportVerify),
        choice('6', "maintenance-status", "System status", maintenance(Maintenance::Status))
            .needing_any(Permissions::MAINTENANCE),
        back(Goes::Main),
    ],
    ..MENU
};

/// While a backup is made; any key goes on.
pub static BACKUP_WAIT: Menu =
    Menu { clip: "backup-wait", other_keys: Some(maintenance(Maintenance::LeaveBackup)), help: false, ..MENU_ABOUT };

/// When to reboot.
pub static REBOOT: Menu = Menu {
    clip: "reboot-menu",
    choices: &[
        choice('1', "reboot-now", "Now", maintenance(Maintenance::Reboot(RebootWhen::Now))),
        choice('2', "reboot-when-idle", "When no call is left", maintenance(Maintenance::Reboot(RebootWhen::Idle))),
        choice('3', "reboot-cancel", "Cancel a waiting one", maintenance(Maintenance::CancelReboot)),
        back(to(&MAINTENANCE)),
    ],
    ..MENU
};

/// Until the reboot starts.
pub static COUNTDOWN: Menu = Menu {
    clip: "press-star-to-cancel",
    choices: &[unsaid('*', "reboot-countdown-cancel", "Cancel the reboot", maintenance(Maintenance::CancelReboot))],
    ..MENU
};

/// How much is logged.
pub static LOGGING: Menu = Menu {
    clip: "logging-menu",
    choices: &[
        choice('1', "logging-menu-normal", "Normal", maintenance(Maintenance::SetLogging { detailed: false })),
        choice(
            '2',
            "logging-menu-detailed",
            "Detailed for an hour",
            maintenance(Maintenance::SetLogging { detailed: true }),
        ),
        choice('3', "logging-menu-new-file", "Start another file", maintenance(Maintenance::NewLogFile)),
        back(to(&MAINTENANCE)),
    ],
    ..MENU
};

/// Whose support PIN?
pub static SUPPORT_EXTENSION: Question = Question {
    in_hand: false,
    ..question("support-enter-extension", Digits::Extension, Answer::SupportExtension, to(&MAINTENANCE))
};

/// The support PIN that someone presents.
pub static SUPPORT_PIN: Question =
    question("support-enter-pin", Digits::Pin, Answer::SupportPin, ask(&SUPPORT_EXTENSION));

/// One's own PIN again, after something destructive was read back.
pub static CONFIRM: Question = Question {
    empty: true,
    destructive: true,
    ..question("confirm-with-pin", Digits::Pin, Answer::Confirm, maintenance(Maintenance::LeaveConfirm))
};

const fn maintenance(function: Maintenance) -> Goes {
    Goes::Do(Function::Maintenance(function))
}
