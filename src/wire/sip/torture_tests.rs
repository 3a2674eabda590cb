//! RFC 4475's messages, where the folder with them is beside the project (it is optional test data).

use std::path::{Path, PathBuf};

use super::*;

/// The folder, or `None` with a loud word that the test has tested nothing.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/rfc4475");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there, RFC 4475's messages were not tried", folder.display());
    None
}

#[test]
fn rfc4475_what_is_well_formed_is_taken_and_what_is_not_is_refused() {
    let Some(folder) = folder() else { return };
    let list = std::fs::read_to_string(folder.join("expected.tsv")).expect("the list");
    // The RFC calls it malformed for its Date or its REGISTER's Contact, which mean nothing here, or well formed, for its
    // branch, which can't be used; the list allows each of these.
    let exceptions = ["baddate.dat", "regbadct.dat", "badbranch.dat", "insuf.dat"];
    let mut tried = 0;
    for row in list.lines().skip(1) {
        let mut columns = row.split('\t');
        let (Some(file), Some(valid)) = (columns.next(), columns.nth(1)) else { panic!("{row}") };
        let bytes = std::fs::read(folder.join(file)).expect(file);
        let decoded = decode(&bytes, Framing::Datagram);
        tried += 1;
        let status_too_big = ["scalarlg.dat", "bigcode.dat"].contains(&file);
        if let Err(reject) = &decoded {
            assert_eq!(reject.echo.is_none(), status_too_big, "{file}: {reject}");
        }
        if !exceptions.contains(&file) {
            assert_eq!(decoded.is_ok(), valid.starts_with("yes"), "{file}: {decoded:?}");
        }
    }
    assert_eq!(tried, 49);
}

#[test]
fn rfc4475_3_1_1_1_the_tortuous_invite_is_read_right() {
    let Some(folder) = folder() else { return };
    let bytes = std::fs::read(folder.join("wsinv.dat")).expect("the message");
    let Ok(Message::Request(invite)) = decode(&bytes, Framing::Datagram) else { panic!("refused") };
    assert_eq!(invite.head.echo.vias.len(), 3);
    assert_eq!(invite.head.via.branch(), Some("390skdjuw"));
    assert_eq!(invite.head.from.tag(), Some("98asjd8"));
    assert_eq!(invite.head.from.display_name.as_deref(), Some(r#""J Rosenberg \\\"""#));
    assert_eq!(invite.head.to.tag(), Some("1918181833n"));
    assert_eq!(invite.head.cseq.seq, 9);
    let contact = invite.head.addresses(Name::Contact).expect("a Contact");
    assert_eq!(encode_uri(&contact[0].uri), "sip:jdrosen@example.com");
    assert_eq!(invite.body.len(), 150);
}
