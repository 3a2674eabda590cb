//! What is said of a fault in the program: where it is, never with what.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::PanicHookInfo;

/// From now on a panic tells its thread, its place and its message only where that is a constant of the program: one that
/// was put together may have what somebody keyed in it. `RUST_BACKTRACE=1` adds the functions, which have no values.
pub fn tell_where_only() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let (thread, place, what) = (thread.name().unwrap_or("unnamed"), place(info), constant_message(info.payload()));
        let backtrace = Backtrace::capture();
        let functions = match backtrace.status() {
            BacktraceStatus::Captured => format!("\n{backtrace}"),
            _ => String::new(),
        };
        let said = format!("a fault in the program, {place}: {what}{functions}");
        if tracing::dispatcher::has_been_set() {
            tracing::error!(thread, "{said}");
        } else {
            let _ = writeln!(std::io::stderr(), "switchhook: {said}");
        }
    }));
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location().map_or_else(|| "nowhere known".to_owned(), ToString::to_string)
}

fn constant_message(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(its message is withheld)")
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn what_was_put_together_is_withheld() {
        let keyed: String = ('3'..='8').collect();
        let constant = catch_unwind(|| panic!("never empty")).expect_err("it panics");
        assert_eq!(constant_message(&*constant), "never empty");
        let put_together = catch_unwind(|| panic!("keyed {keyed}")).expect_err("it panics");
        assert_eq!(constant_message(&*put_together), "(its message is withheld)");
    }
}
