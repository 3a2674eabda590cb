//! The kinds of things that actions are about, and their names.

use super::Permission;

/// When a reboot is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RebootWhen {
    /// After the configured delay.
    Now,
    /// When no call is left.
    Idle,
}

/// Which older version of a recording to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestoreTo {
    /// The one before the live one.
    Previous,
    /// The factory one.
    Factory,
}

/// Which calls to a user go elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForwardKind {
    /// All.
    Always,
    /// Those that come while the user is busy.
    Busy,
    /// Those that nobody answers.
    NoAnswer,
}

/// What a user has recorded of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnAudio {
    /// What callers to the voicemail hear.
    Greeting,
    /// The spoken name.
    Name,
}

/// What the whole phone system does with calls now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Open.
    Day,
    /// Closed.
    Night,
    /// Closed for a holiday.
    Holiday,
}

/// How the mode is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModeSetting {
    /// This one.
    Fixed(Mode),
    /// By the timetable.
    Timetable,
}

/// One of the three kinds of ways out of the phone system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrunkKind {
    /// An outside line.
    Line,
    /// A SIP gateway.
    Gateway,
    /// A SIP proxy.
    Proxy,
}

/// What has a number that callers key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemKind {
    /// A system recording.
    Recording,
    /// An auto attendant.
    Attendant,
    /// A hunt group.
    Group,
    /// A call center.
    CallCenter,
    /// An outside line, a SIP gateway or a SIP proxy.
    Trunk(TrunkKind),
}

impl RebootWhen {
    /// The name in the store and the events.
    pub fn name(self) -> &'static str {
        match self {
            RebootWhen::Now => "now",
            RebootWhen::Idle => "idle",
        }
    }
}

impl ForwardKind {
    /// All kinds, in the order of the menu (keys 1 to 3).
    pub const ALL: [ForwardKind; 3] = [ForwardKind::Always, ForwardKind::Busy, ForwardKind::NoAnswer];

    /// The name on the command line and in the events.
    pub fn name(self) -> &'static str {
        match self {
            ForwardKind::Always => "always",
            ForwardKind::Busy => "busy",
            ForwardKind::NoAnswer => "no-answer",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Mode {
    /// All modes, in the order of the menu (keys 1 to 3).
    pub const ALL: [Mode; 3] = [Mode::Day, Mode::Night, Mode::Holiday];

    /// The name in the store and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Day => "day",
            Mode::Night => "night",
            Mode::Holiday => "holiday",
        }
    }
}

impl ModeSetting {
    /// The name in the store and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ModeSetting::Fixed(mode) => mode.name(),
            ModeSetting::Timetable => "timetable",
        }
    }

    /// The setting of that name.
    pub fn parse(name: &str) -> Option<Self> {
        let fixed = Mode::ALL.into_iter().map(ModeSetting::Fixed);
        fixed.chain([ModeSetting::Timetable]).find(|setting| setting.name() == name)
    }
}

impl TrunkKind {
    /// All kinds, in the order of the menu (keys 1 to 3).
    pub const ALL: [TrunkKind; 3] = [TrunkKind::Line, TrunkKind::Gateway, TrunkKind::Proxy];

    /// The verb on the command line, and the first word of the events.
    pub fn name(self) -> &'static str {
        match self {
            TrunkKind::Line => "line",
            TrunkKind::Gateway => "gateway",
            TrunkKind::Proxy => "proxy",
        }
    }

    /// The name of enabling or disabling one, in the audit trail, the changes and the events.
    pub fn change_name(self, enabled: bool) -> &'static str {
        match (self, enabled) {
            (TrunkKind::Line, true) => "line.enabled",
            (TrunkKind::Line, false) => "line.disabled",
            (TrunkKind::Gateway, true) => "gateway.enabled",
            (TrunkKind::Gateway, false) => "gateway.disabled",
            (TrunkKind::Proxy, true) => "proxy.enabled",
            (TrunkKind::Proxy, false) => "proxy.disabled",
        }
    }
}

impl ItemKind {
    /// The verb on the command line, and the first word of the events.
    pub fn name(self) -> &'static str {
        match self {
            ItemKind::Recording => "recording",
            ItemKind::Attendant => "attendant",
            ItemKind::Group => "group",
            ItemKind::CallCenter => "callcenter",
            ItemKind::Trunk(kind) => kind.name(),
        }
    }

    /// The name of listing all of the kind, in the audit trail.
    pub(super) fn list_name(self) -> &'static str {
        match self {
            ItemKind::Recording => "recording.list",
            ItemKind::Attendant => "attendant.list",
            ItemKind::Group => "group.list",
            ItemKind::CallCenter => "callcenter.list",
            ItemKind::Trunk(TrunkKind::Line) => "line.list",
            ItemKind::Trunk(TrunkKind::Gateway) => "gateway.list",
            ItemKind::Trunk(TrunkKind::Proxy) => "proxy.list",
        }
    }

    /// What someone who works with it must be allowed.
    pub const fn needs(self) -> Permission {
        match self {
            ItemKind::Recording => Permission::RecordingsChange,
            ItemKind::Attendant | ItemKind::Group | ItemKind::CallCenter => Permission::AttendantsManage,
            ItemKind::Trunk(_) => Permission::NetworkManage,
        }
    }
}
