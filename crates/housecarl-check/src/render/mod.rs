//! One file per form of output. A renderer words nothing about the product: that is the rules'.

pub mod text;
pub mod json;
pub mod diff;

/// A manifest as the renderers need it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'s> {
    /// The path to print.
    pub path: &'s str,
    /// What stands in the file.
    pub text: &'s str,
}
