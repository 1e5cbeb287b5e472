//! The text of a table, each string once.

use std::collections::BTreeMap;

use housecarl_policy::table::record::Text;

/// The text of a table, each string once.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    pub(crate) text: String,
    known: BTreeMap<String, Text>,
}

impl Strings {
    pub(crate) fn add(&mut self, text: &str) -> Text {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let (Ok(start), Ok(len)) = (u32::try_from(self.text.len()), u16::try_from(text.len())) else {
            return Text { start: 0, len: 0 };
        };
        self.text.push_str(text);
        let added = Text { start, len };
        self.known.insert(text.to_owned(), added);
        added
    }
}
