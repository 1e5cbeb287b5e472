//! Paths into payloads, as a manifest writes them.
//!
//! A path is a JSON Pointer with three additions. `*` is any member or any item. `[type=1]` after
//! a segment, or as a segment of its own for the value already reached, keeps only objects whose
//! member `type` is `1`. `(json)` is the JSON inside a text. A segment in double quotes means
//! exactly what stands between them, and so does the value of a condition: `[unit="mm[Hg]"]`. `~1`
//! is a slash and `~0` a tilde, as in any JSON Pointer.

use std::fmt;

use housecarl_policy::path::DEPTH_MAX;

/// One step of a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Segment {
    /// The member of this name, or the item at this position.
    Key(String),
    /// Any member or item.
    Any,
    /// The same value, where it is an object whose member has this value.
    When {
        /// The member.
        member: String,
        /// Its value as text.
        value: String,
    },
    /// The JSON inside the text.
    Json,
}

/// A path from the root of a payload.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Path {
    segments: Vec<Segment>,
}

/// The longest name of a member that can be declared.
const KEY_MAX: usize = 128;

impl Path {
    /// The steps, from the root.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Reads a path.
    ///
    /// # Errors
    /// Why the text is not one.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            rest =
                rest.strip_prefix('/').ok_or("a path begins with `/`, and `/` stands between its steps")?;
            rest = segment(rest, &mut segments)?;
        }
        if segments.len() >= DEPTH_MAX {
            return Err("a path has fewer than 32 steps");
        }
        if segments.iter().any(|s| matches!(s, Segment::Key(key) if key.len() > KEY_MAX)) {
            return Err("a name in a path has at most 128 bytes");
        }
        Ok(Self { segments })
    }
}

/// Reads one step with its conditions; returns what follows.
fn segment<'t>(text: &'t str, segments: &mut Vec<Segment>) -> Result<&'t str, &'static str> {
    let mut rest = if let Some(quoted) = text.strip_prefix('"') {
        let (key, rest) = quoted.split_once('"').ok_or("a quoted name ends with a double quote")?;
        segments.push(Segment::Key(key.to_owned()));
        rest
    } else {
        let end = text.find(['/', '[']).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        match word {
            "*" => segments.push(Segment::Any),
            "(json)" => segments.push(Segment::Json),
            // A condition on the value that the path has already reached.
            "" if rest.starts_with('[') => {}
            "" => return Err("a step of a path is not empty; write \"\" in quotes for an empty name"),
            key => segments.push(Segment::Key(unescaped(key))),
        }
        rest
    };
    while let Some(condition) = rest.strip_prefix('[') {
        let (member, value) = condition.split_once('=').ok_or("a condition is written `[member=value]`")?;
        if member.is_empty() || member.contains(']') {
            return Err("a condition names a member before its `=`");
        }
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once("\"]").ok_or("a quoted value ends with `\"]`")?;
                (value.to_owned(), after)
            }
            None => {
                let (value, after) = value.split_once(']').ok_or("a condition ends with `]`")?;
                (unescaped(value), after)
            }
        };
        segments.push(Segment::When { member: unescaped(member), value });
        rest = after;
    }
    if rest.is_empty() || rest.starts_with('/') {
        Ok(rest)
    } else {
        Err("after a quoted name comes `/` or `[`")
    }
}

fn unescaped(text: &str) -> String {
    text.replace("~1", "/").replace("~0", "~")
}

fn escaped(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Any => f.write_str("/*")?,
                Segment::Json => f.write_str("/(json)")?,
                Segment::When { member, value } => {
                    let slash = if at == 0 { "/" } else { "" };
                    let member = escaped(member);
                    if value.contains(']') || value.starts_with('"') {
                        write!(f, "{slash}[{member}=\"{value}\"]")?;
                    } else {
                        write!(f, "{slash}[{member}={}]", escaped(value))?;
                    }
                }
                Segment::Key(key) => {
                    let plain = !key.is_empty()
                        && key != "*"
                        && key != "(json)"
                        && !key.starts_with('"')
                        && !key.contains('[');
                    if plain {
                        write!(f, "/{}", escaped(key))?;
                    } else {
                        write!(f, "/\"{key}\"")?;
                    }
                }
            }
        }
        Ok(())
    }
}
