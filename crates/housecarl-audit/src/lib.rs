//! The tamper-evident log: its format and its verification. Bytes in, verdict out; nothing is written
//! here, only [`folder`] reads, and there is neither a clock nor randomness.
//!
//! The log is a Merkle tree of [RFC 6962](https://www.rfc-editor.org/rfc/rfc6962) in the published
//! formats [tlog-tiles](https://c2sp.org/tlog-tiles), [tlog-checkpoint](https://c2sp.org/tlog-checkpoint),
//! [signed-note](https://c2sp.org/signed-note) and [tlog-proof](https://c2sp.org/tlog-proof), so that
//! tools which others wrote read it too. `docs/audit-log.md` gives every byte.
//!
//! ```text
//! Entry --seal with a salt--> Opening (kept privately) --leaf--> Leaf (published)
//! Leaf --append--> Tree --> File (tiles, bundles)      Tree --> Checkpoint --sign--> note
//! Opening + inclusion proof + note = Receipt, which a person keeps and verifies
//! ```
//!
//! What is published shows no kind, person or product: every leaf is a version and a salted
//! commitment. Whoever holds the opening can show what one leaf stands for, and nobody else can.

pub mod hash;
pub mod entry;
pub mod leaf;
pub mod tile;
pub mod tree;
pub mod proof;
pub mod note;
pub mod checkpoint;
pub mod receipt;
pub mod verify;
pub mod words;
pub mod folder;

pub use checkpoint::Checkpoint;
pub use entry::{Act, Entry};
pub use hash::Hash;
pub use leaf::{Leaf, Opening, Salt};
pub use note::{SignerKey, VerifierKey};
pub use receipt::Receipt;
pub use tile::{File, Path, Tiles};
pub use tree::Tree;
