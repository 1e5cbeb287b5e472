//! What became of payloads, for programs.

use housecarl_journey::Left;
use serde_json::{Value as Json, json};

use super::{Outcome, Replay};

/// Everything, as one document of version 1.
pub(crate) fn report(replay: &Replay<'_>) -> Json {
    let messages: Vec<Json> = replay
        .messages
        .iter()
        .map(|(from, outcome)| match outcome {
            Outcome::Decoded { stream, records } => {
                let stream = replay.stream_name(*stream);
                json!({ "from": from, "result": "decoded", "stream": stream, "records": records })
            }
            Outcome::Unmatched => json!({ "from": from, "result": "unmatched" }),
            Outcome::Undecodable(why) => {
                json!({ "from": from, "result": "undecodable", "why": why.to_string() })
            }
        })
        .collect();
    let items: Vec<Json> = replay
        .tallies
        .iter()
        .map(|((item, home), tally)| {
            let permitted: Vec<Json> = tally
                .permitted
                .iter()
                .map(|purpose| json!({ "purpose": replay.purpose_name(*purpose), "at": replay.permitted_at(*purpose) }))
                .collect();
            let closed: Vec<Json> = tally
                .closed
                .iter()
                .map(|((purpose, gate), values)| {
                    json!({
                        "purpose": replay.purpose_name(*purpose),
                        "reason": gate.name(),
                        "values": values,
                        "at": replay.closed_at(*item, *purpose, *gate),
                    })
                })
                .collect();
            json!({
                "item": replay.item_name(*item),
                "at": replay.item_at(*item),
                "as": replay.home_name(*home),
                "identified": !tally.bystander,
                "values": tally.values,
                "kept": tally.kept,
                "dropped": tally.values - tally.kept,
                "guesses": tally.guesses,
                "leaves": tally.leaves,
                "unfit": tally.left.get(&Left::Unfit).copied().unwrap_or(0),
                "permitted": permitted,
                "closed": closed,
            })
        })
        .collect();
    let unrecognised: Vec<Json> = replay
        .not_recognised()
        .map(|[who, stream, purpose, because, at]| {
            json!({ "as": who, "stream": stream, "purpose": purpose, "because": because, "at": at })
        })
        .collect();
    let undeclared: Vec<Json> = replay
        .undeclared
        .iter()
        .map(|((stream, shape), count)| json!({ "stream": stream, "in": shape, "members": count }))
        .collect();
    json!({
        "version": 1,
        "product": replay.product.path,
        "messages": messages,
        "sums": {
            "messages": replay.sums.messages,
            "decoded": replay.sums.decoded,
            "unmatched": replay.sums.unmatched,
            "undecodable": replay.sums.undecodable,
        },
        "items": items,
        "unrecognised": unrecognised,
        "undeclared": undeclared,
    })
}
