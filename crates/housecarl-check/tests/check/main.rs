//! The tests of the checker, in one program: [`rules`] says what each rule finds and where it is
//! silent, [`catalogue`] sweeps over all of them, [`problems`] is about manifests that cannot be
//! read, [`outputs`] about what is printed, and [`agreement`] holds a rule against the decision.
//! Their manifests and what is expected stand in Markdown and plain files beside this folder.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod support;
mod rules;
mod catalogue;
mod problems;
mod outputs;
mod agreement;
