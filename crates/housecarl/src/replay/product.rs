//! A product, checked and compiled.

use housecarl_check::diagnostic::Level;
use housecarl_check::problems::is_problem;
use housecarl_manifest::{Compiled, compile};
use housecarl_policy::Table;

use crate::output::{Result, complain};
use crate::{clock, files};

/// A product, checked and compiled.
pub(crate) struct Product {
    pub(crate) path: String,
    pub(crate) compiled: Compiled,
}

impl Product {
    pub(crate) fn load(name: &str) -> Result<Self> {
        let file = files::manifest(name)?;
        let reading = housecarl_manifest::read(&file.text);
        let report = housecarl_check::check(&reading, &file.text, clock::today());
        // What was misread could open something, such as a condition with a slip in its name.
        let unreadable = report.findings.iter().filter(|finding| is_problem(finding.code)).count();
        if unreadable > 0 {
            return Err(format!(
                "{}: it cannot be read in full ({unreadable} problems), so nothing is decided by it\n  `housecarl \
                 check {}` says what and where",
                file.path, file.path
            ));
        }
        if report.count(Level::Must) > 0 {
            complain(&format!(
                "{}: open findings of level must: {}; the purposes they are about are shut\n  `housecarl check {}` \
                 prints them",
                file.path,
                report.count(Level::Must),
                file.path
            ));
        }
        let compiled = compile(&reading.manifest, &file.text, &file.ordinals, &report.shut());
        Ok(Self { path: file.path, compiled })
    }

    pub(crate) fn table(&self) -> Result<Table<'_>> {
        Table::read(&self.compiled.table).map_err(|error| format!("{}: {error}", self.path))
    }
}
