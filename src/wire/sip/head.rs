//! The names of header fields, and how the header section is cut into them (RFC 3261 sections 7.3 and 20).

use std::borrow::Cow;

use super::Bad;
use super::scan::{is_token, trim_blanks};

macro_rules! names {
    ($($variant:ident $name:literal $compact:literal,)*) => {
        /// The header fields that mean something here; all others are checked for their form and forgotten.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Name {
            $(#[doc = concat!("`", $name, "`.")] $variant,)*
        }

        /// Each name with its compact form, empty where it has none.
        const NAMES: &[(Name, &str, &str)] = &[$((Name::$variant, $name, $compact),)*];

        impl Name {
            /// The name as it is sent.
            pub fn as_str(self) -> &'static str {
                match self { $(Name::$variant => $name,)* }
            }
        }
    };
}

names! {
    Via "Via" "v",
    From "From" "f",
    To "To" "t",
    CallId "Call-ID" "i",
    CSeq "CSeq" "",
    Contact "Contact" "m",
    MaxForwards "Max-Forwards" "",
    ContentType "Content-Type" "c",
    ContentLength "Content-Length" "l",
    ContentEncoding "Content-Encoding" "e",
    ContentDisposition "Content-Disposition" "",
    RecordRoute "Record-Route" "",
    Require "Require" "",
    Accept "Accept" "",
    PAssertedIdentity "P-Asserted-Identity" "",
    InfoPackage "Info-Package" "",
    Timestamp "Timestamp" "",
    Authorization "Authorization" "",
}

impl Name {
    /// The header field of that name, in any case, or of that compact form.
    pub(super) fn of(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, long, short)| long.eq_ignore_ascii_case(name) || short.eq_ignore_ascii_case(name))
            .map(|(name, _, _)| *name)
    }

    /// Whether a message may have this field once at most, with one value.
    pub(super) fn is_single(self) -> bool {
        matches!(
            self,
            Name::From
                | Name::To
                | Name::CallId
                | Name::CSeq
                | Name::MaxForwards
                | Name::ContentType
                | Name::ContentLength
                | Name::ContentDisposition
                | Name::InfoPackage
        )
    }
}

/// A header field that means something here, its value unfolded and without blanks around it.
pub(super) type Field<'a> = (Name, Cow<'a, str>);

/// Cuts the header section into fields, at most `count_max` of them; goes on after a fault, so that an answer has
/// something to go by, and tells the first one.
pub(super) fn read_fields(section: &str, count_max: usize) -> (Vec<Field<'_>>, Option<Bad>) {
    let mut fields: Vec<Field<'_>> = Vec::with_capacity(16);
    let mut fault = None;
    let mut lines = section.split("\r\n").peekable();
    let mut count = 0;
    while let Some(line) = lines.next() {
        count += 1;
        if count > count_max {
            fault.get_or_insert(Bad::syntax("too many header fields"));
            break;
        }
        let mut whole = Cow::Borrowed(line);
        while let Some(more) = lines.next_if(|next| next.starts_with([' ', '\t'])) {
            let text = whole.to_mut();
            text.push(' ');
            text.push_str(trim_blanks(more));
        }
        match read_field(whole) {
            Ok(None) => {}
            Ok(Some((name, _))) if name.is_single() && fields.iter().any(|(other, _)| *other == name) => {
                fault.get_or_insert(Bad::syntax("header field that may be there once is there twice"));
            }
            Ok(Some(field)) => fields.push(field),
            Err(bad) => {
                fault.get_or_insert(bad);
            }
        }
    }
    (fields, fault)
}

fn read_field(line: Cow<'_, str>) -> Result<Option<Field<'_>>, Bad> {
    if line.contains(['\r', '\n']) {
        return Err(Bad::syntax("CR or LF by itself among the headers"));
    }
    let colon = line.find(':').ok_or(Bad::syntax("header field without a colon"))?;
    let name = trim_blanks(line.get(..colon).unwrap_or_default());
    if !is_token(name) || line.starts_with([' ', '\t']) {
        return Err(Bad::syntax("bad header field name"));
    }
    let Some(name) = Name::of(name) else { return Ok(None) };
    let value = match line {
        Cow::Borrowed(line) => Cow::Borrowed(trim_blanks(line.get(colon + 1..).unwrap_or_default())),
        Cow::Owned(line) => Cow::Owned(trim_blanks(line.get(colon + 1..).unwrap_or_default()).to_owned()),
    };
    Ok(Some((name, value)))
}
