//! Undo.

/// A change.
pub(super) struct Recorded {
    pub(super) action: String,
    pub(super) target: String,
    pub(super) target_id: Option<i64>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}
