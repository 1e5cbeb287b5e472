//! Which stream a topic is of, seen from one device.
//!
//! A device publishes to `housecarl/v1/{device}/{stream}`, or to the topic that its manifest names
//! for the stream, so that a device already sold need not change.

use housecarl_journey::product::Version;
use housecarl_policy::StreamId;

/// What every topic of our own begins with.
const OWN: &str = "housecarl/v1";
/// Where the device's name stands in a topic of a manifest.
const DEVICE: &str = "{device}";

/// What a topic is to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// Its own, for this stream.
    Of(StreamId),
    /// One like it, with another device's name.
    AnotherDevices,
    /// None that the manifest knows.
    Undeclared,
}

/// What a topic is to the device of this name.
#[must_use]
pub fn topic(version: &Version, device: &str, topic: &str) -> Topic {
    if let Some(rest) = topic.strip_prefix(OWN).and_then(|rest| rest.strip_prefix('/')) {
        return match rest.split_once('/') {
            Some((name, _)) if name != device => Topic::AnotherDevices,
            Some((_, stream)) => version.stream(stream).map_or(Topic::Undeclared, Topic::Of),
            None => Topic::Undeclared,
        };
    }
    let table = &version.table;
    let mut found = Topic::Undeclared;
    for (id, stream) in table.streams() {
        match fits(table.text(stream.topic), device, topic) {
            Some(true) => return Topic::Of(id),
            Some(false) => found = Topic::AnotherDevices,
            None => {}
        }
    }
    found
}

/// Whether a topic fits a filter: `Some(false)` where all fits but the device's name.
fn fits(filter: &str, device: &str, topic: &str) -> Option<bool> {
    if filter.is_empty() {
        return None;
    }
    let (mut levels, mut own) = (topic.split('/'), true);
    for wanted in filter.split('/') {
        if wanted == "#" {
            return Some(own);
        }
        let level = levels.next()?;
        match wanted {
            DEVICE => own &= level == device,
            "+" => {}
            _ if wanted == level => {}
            _ => return None,
        }
    }
    levels.next().is_none().then_some(own)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn filters() {
        let table = [
            ("pulse/{device}/vitals", "pulse/d1/vitals", Some(true)),
            ("pulse/{device}/vitals", "pulse/d2/vitals", Some(false)),
            ("pulse/{device}/vitals", "pulse/d1/day", None),
            ("pulse/{device}/vitals", "pulse/d1/vitals/more", None),
            ("pulse/{device}/vitals", "pulse/d1", None),
            ("pulse/{device}/vitals", "", None),
            ("home/+/{device}/#", "home/x/d1/a/b", Some(true)),
            ("home/+/{device}/#", "home/x/d2/a", Some(false)),
            ("home/+/{device}/#", "home/x", None),
            ("", "", None),
            ("", "a", None),
        ];
        for (filter, topic, expected) in table {
            assert_eq!(fits(filter, "d1", topic), expected, "{filter} {topic}");
        }
    }
}
