//! What became of payloads, for people.

use std::collections::BTreeSet;

use housecarl_journey::Left;
use housecarl_policy::ItemId;

use super::{Outcome, Replay, Sums, Tally};

/// Everything, with each reason and where it stands.
pub(crate) fn report(replay: &Replay<'_>) -> String {
    let mut text = String::new();
    for (from, outcome) in &replay.messages {
        text.push_str(&match outcome {
            Outcome::Decoded { stream, records } => {
                let name = replay.stream_name(*stream);
                format!("{from}: stream `{name}`, {records} record{}\n", plural(*records))
            }
            Outcome::Unmatched => format!("{from}: unmatched, no stream declares anything in it\n"),
            Outcome::Undecodable(why) => format!("{from}: undecodable, {why}\n"),
        });
    }
    let mut item_before = None;
    for ((item, home), tally) in &replay.tallies {
        if item_before.replace(*item) != Some(*item) {
            text.push_str(&format!("\n{}  ({})\n", replay.item_name(*item), replay.item_at(*item)));
        }
        text.push_str(&tally_text(replay, *item, *home, tally));
    }
    if !replay.unrecognised.is_empty() {
        text.push_str("\nnobody was recognised:\n");
        for entry in replay.not_recognised() {
            let [who, stream, purpose, because, at] = entry;
            text.push_str(&format!("  {who} in `{stream}`, under `{purpose}`, which {because}  {at}\n"));
        }
    }
    if !replay.undeclared.is_empty() {
        text.push_str("\nnot declared, and gone:\n");
        for ((stream, shape), count) in &replay.undeclared {
            text.push_str(&format!("  {count} member{} in `{shape}` of `{stream}`\n", plural(*count)));
        }
    }
    text + "\n" + &sums(replay)
}

fn sums(replay: &Replay<'_>) -> String {
    let Sums { messages, decoded, unmatched, undecodable } = replay.sums;
    format!(
        "{}: {messages} message{}, {decoded} decoded, {unmatched} unmatched, {undecodable} undecodable\n",
        replay.product.path,
        plural(messages)
    )
}

fn tally_text(replay: &Replay<'_>, item: ItemId, home: usize, tally: &Tally) -> String {
    let who = replay.home_name(home);
    let who =
        if tally.bystander { format!("a bystander, as {who} settled the device") } else { who.to_owned() };
    let dropped = tally.values - tally.kept;
    let mut text = String::new();
    if tally.kept > 0 {
        let leaves = tally.leaves.iter().cloned().collect::<Vec<_>>().join(", ");
        let guess = if tally.guesses > 0 { ", marked as a guess" } else { "" };
        text.push_str(&format!("  {who}: kept {} ({leaves}{guess})\n", tally.kept));
        for purpose in &tally.permitted {
            text.push_str(&format!(
                "    for `{}`  {}\n",
                replay.purpose_name(*purpose),
                replay.permitted_at(*purpose)
            ));
        }
    }
    if dropped > 0 {
        text.push_str(&format!("  {who}: dropped {dropped}\n"));
        for (left, count) in &tally.left {
            if let Some((why, at)) = replay.nothing_left(item, *left) {
                text.push_str(&format!("    {count} because {why}  {at}\n"));
            }
        }
        if tally.closed.is_empty() && tally.left.contains_key(&Left::Refused) {
            text.push_str(&format!("    no purpose uses it  {}\n", replay.item_at(item)));
        }
    }
    for (purpose, gate) in tally.closed.keys() {
        let at = replay.closed_at(item, *purpose, *gate);
        text.push_str(&format!(
            "    not for `{}`, which {}  {at}\n",
            replay.purpose_name(*purpose),
            gate.because()
        ));
    }
    text
}

fn plural(count: impl TryInto<u64>) -> &'static str {
    if count.try_into().is_ok_and(|count| count == 1) { "" } else { "s" }
}
