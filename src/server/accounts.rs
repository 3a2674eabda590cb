//! Accounts of `[[sip.accounts]]`, with the passwords that are in their files.

use super::passwords::password_of;
use crate::config::SipAccount;
use crate::sip::Account;

/// All of them, for the start.
///
/// # Errors
/// A password can't be read.
pub(super) fn read(accounts: &[SipAccount]) -> anyhow::Result<Vec<Account>> {
    accounts.iter().map(account).collect()
}

/// Those whose passwords can be read, for a process that has the passwords of all of them already. Of each other one a line
/// in the log says why not.
pub(super) fn read_again(accounts: &[SipAccount]) -> Vec<Account> {
    let read = |wanted: &SipAccount| match account(wanted) {
        Ok(account) => Some(account),
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(
                username = wanted.username,
                error,
                "the new password can't be used, the old one stays in use: mend the file and send SIGHUP again"
            );
            None
        }
    };
    accounts.iter().filter_map(read).collect()
}

fn account(account: &SipAccount) -> anyhow::Result<Account> {
    Ok(Account::new(&account.username, &password_of(&account.password_file)?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_password_that_can_not_be_read_is_an_error_at_the_start_and_left_out_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let accounts = ["ann", "bob"].map(|name| {
            let password_file = folder.path().join(name);
            fs::write(&password_file, format!("{name}'s first\n")).expect("written");
            SipAccount { username: name.to_owned(), password_file }
        });
        let all = read(&accounts).expect("both");
        assert_eq!(all, [Account::new("ann", "ann's first"), Account::new("bob", "bob's first")]);
        assert_eq!(read_again(&accounts), all);
        fs::write(&accounts[0].password_file, "").expect("written");
        fs::write(&accounts[1].password_file, "another\n").expect("written");
        assert_eq!(read_again(&accounts), [Account::new("bob", "another")]);
        read(&accounts).expect_err("an empty one");
    }
}
