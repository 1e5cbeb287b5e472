//! What the fuzz targets share: counting successes, and making and changing inputs so that their
//! form mostly stands.

pub mod mutate;
pub mod success;
pub mod tables;
