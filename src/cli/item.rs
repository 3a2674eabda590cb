//! What attendants, groups, call centers, lines, gateways and proxies have in common: a number that callers key.

use anyhow::Context as _;
use clap::Args;

use super::{Shell, SiteArg};
use crate::access::ItemKind;
use crate::model::ItemNumber;
use crate::store::{Admin, System};

/// `NUMBER`
#[derive(Debug, Args)]
pub struct ItemArg {
    /// The number that callers key
    #[arg(value_name = "NUMBER", value_parser = super::item_number)]
    pub(super) number: ItemNumber,
}

/// `NUMBER NAME`
#[derive(Debug, Args)]
pub struct NewItem {
    #[command(flatten)]
    pub(super) item: ItemArg,
    /// What it is
    #[arg(value_name = "NAME")]
    pub(super) name: String,
}

/// Does it to one of them, and says so.
pub(super) async fn change(
    shell: &mut Shell<'_>,
    kind: ItemKind,
    number: ItemNumber,
    what: &str,
    system: System,
) -> anyhow::Result<()> {
    let what = format!("{} {} {what}", kind.name(), number.0);
    shell.change(&SiteArg::default(), &what, Admin::System(system)).await
}

/// Adds one that has no URI and no spoken name.
pub(super) async fn add(shell: &mut Shell<'_>, kind: ItemKind, new: NewItem) -> anyhow::Result<()> {
    let (number, name) = (new.item.number, new.name);
    let system = System::AddItem { kind, number, name, uri: None, spoken_name: None };
    change(shell, kind, number, "added", system).await
}

/// Deletes one.
pub(super) async fn delete(shell: &mut Shell<'_>, kind: ItemKind, number: ItemNumber) -> anyhow::Result<()> {
    change(shell, kind, number, "deleted", System::DeleteItem { kind, number }).await
}

/// The row of that number.
pub(super) fn find<T>(
    rows: Vec<T>,
    number_of: impl Fn(&T) -> i64,
    kind: ItemKind,
    number: ItemNumber,
) -> anyhow::Result<T> {
    let found = rows.into_iter().find(|row| number_of(row) == i64::from(number.0));
    let verb = kind.name();
    found.with_context(|| format!("there is no {verb} {}: see which there are with `switchhook {verb} list`", number.0))
}
