//! Messages of devices: `docs/ingest.md` says which situation gets which answer.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use housecarl_journey::journey::{Admitted, Journey, Message, NotAdmitted};
use housecarl_journey::people::DeviceId;
use housecarl_journey::store::StreamNumber;
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use serde_json::{Value as Json, json};

use super::answer::{Answer, PAYLOAD_MAX, Problem, json};
use super::asked::Asked;
use super::cbor::{self, NotJson};
use super::counts::Counts;

/// Messages of one body that are on their way to the disk at once.
const AT_ONCE: usize = 64;

/// Bytes of an idempotency key.
const KEY_BYTES_MAX: usize = 255;

/// What a body consists of.
enum Kind {
    Json,
    Cbor,
    Lines,
}

impl Kind {
    fn of(asked: &Asked) -> Result<Self, Problem> {
        match asked.media_type().as_deref() {
            Some("application/json") => Ok(Self::Json),
            Some("application/cbor") => Ok(Self::Cbor),
            Some("application/jsonl" | "application/x-ndjson") => Ok(Self::Lines),
            _ => Err(Problem::body(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "a message is `application/json` or `application/cbor`, and one on each line is \
                 `application/jsonl` or `application/x-ndjson`",
            )),
        }
    }
}

/// What the device calls the message.
fn idempotency_key(asked: &Asked) -> Result<Option<Vec<u8>>, Problem> {
    let mut keys = asked.headers().get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    if keys.next().is_some() || key.is_empty() || key.len() > KEY_BYTES_MAX {
        let what = "there is one `Idempotency-Key` at most, of 1 to 255 bytes";
        return Err(Problem::body(StatusCode::BAD_REQUEST, what));
    }
    Ok(Some(key.as_bytes().to_vec()))
}

/// `POST /v1/ingest/{stream}`: answered when what is kept of it is on the disk.
pub(super) async fn take(mut asked: Asked, device: DeviceId) -> Result<Answer, Problem> {
    let house = Arc::clone(&asked.house);
    let quota = house.quotas.of(device);
    let over = |over| {
        house.counts.message("over-quota");
        Problem::over_quota(over)
    };
    // Before anything of the body is read.
    quota.check().map_err(over)?;
    let kind = Kind::of(&asked)?;
    let key = idempotency_key(&asked)?;
    let version = house.journey.version_of(device).ok_or_else(|| Problem::unknown("product"))?;
    let stream = version.stream(asked.place(0)).and_then(|stream| version.stream_number(stream));
    let stream = stream.ok_or_else(|| Problem::unknown("stream"))?;
    let body = asked.body().await?;
    let messages = if matches!(kind, Kind::Lines) { lines(&body).count() } else { 1 };
    quota.take(messages, body.len()).map_err(over)?;
    let taking = Taking { journey: &house.journey, counts: &house.counts, device, stream, now: house.now() };
    let payload = match kind {
        Kind::Lines => return taking.lines(&body, key.as_deref(), house.limits.lines_max).await,
        Kind::Json => body.into(),
        Kind::Cbor => cbor::to_json(&body, PAYLOAD_MAX).map_err(|error| {
            taking.counts.message("refused");
            not_json(error)
        })?,
    };
    match taking.one(&payload, key.as_deref()).await {
        Ok(admitted) => Ok(json(status(admitted), &outcome(admitted))),
        Err(error) => Err(error.into()),
    }
}

/// The messages of a body that has one on each line.
fn lines(body: &Bytes) -> impl Iterator<Item = &[u8]> {
    body.strip_suffix(b"\n").unwrap_or(body).split(|byte| *byte == b'\n')
}

struct Taking<'t> {
    journey: &'t Journey,
    counts: &'t Counts,
    device: DeviceId,
    stream: StreamNumber,
    now: u64,
}

impl Taking<'_> {
    async fn one(&self, payload: &[u8], key: Option<&[u8]>) -> Result<Admitted, NotAdmitted> {
        let message = Message { payload, idempotency_key: key };
        let admitted = self.journey.admit_by(self.device, self.stream, message, self.now).await;
        self.counts.message(match admitted {
            Ok(admitted) => word(admitted),
            Err(NotAdmitted::Later(_)) => "not-now",
            Err(_) => "refused",
        });
        admitted
    }

    /// A message on each line, answered line by line when all that is kept of them is on the disk. A
    /// line that cannot be taken keeps no other from it.
    async fn lines(&self, body: &Bytes, key: Option<&[u8]>, lines_max: usize) -> Result<Answer, Problem> {
        let lines: Vec<Bytes> =
            lines(body).take(lines_max.saturating_add(1)).map(|line| body.slice_ref(line)).collect();
        if lines.len() > lines_max {
            let what = format!("there are more than {lines_max} lines");
            return Err(Problem::body(StatusCode::PAYLOAD_TOO_LARGE, what));
        }
        let admitted: Vec<_> = stream::iter(lines.into_iter().enumerate())
            .map(|(at, line)| async move {
                // Each line is a message of its own, and so has a name of its own.
                let key = key.map(|key| [key, b"/", at.to_string().as_bytes()].concat());
                self.one(&line, key.as_deref()).await
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let status = admitted.iter().map(|line| match line {
            Err(NotAdmitted::Later(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Err(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Ok(admitted) => status(*admitted),
        });
        // The worst of all: 503 asks for all of them again, 422 says that some never will be taken.
        let rank = |status: &StatusCode| match *status {
            StatusCode::ACCEPTED => 0,
            StatusCode::OK => 1,
            StatusCode::UNPROCESSABLE_ENTITY => 2,
            _ => 3,
        };
        let status = status.max_by_key(rank).unwrap_or(StatusCode::ACCEPTED);
        let line = |line: Result<Admitted, NotAdmitted>| match line {
            Ok(admitted) => outcome(admitted),
            Err(error) => json!({ "outcome": "not-taken", "error": Problem::from(error).to_json() }),
        };
        let lines: Vec<Json> = admitted.into_iter().map(line).collect();
        let mut answer = json(status, &json!({ "lines": lines }));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        Ok(answer)
    }
}

const fn status(admitted: Admitted) -> StatusCode {
    match admitted {
        Admitted::Kept(_) | Admitted::Again => StatusCode::OK,
        Admitted::Nothing => StatusCode::ACCEPTED,
    }
}

const fn word(admitted: Admitted) -> &'static str {
    match admitted {
        Admitted::Kept(_) => "kept",
        Admitted::Again => "again",
        Admitted::Nothing => "nothing-kept",
    }
}

fn outcome(admitted: Admitted) -> Json {
    match admitted {
        Admitted::Kept(parts) => json!({ "outcome": word(admitted), "parts": parts }),
        Admitted::Again | Admitted::Nothing => json!({ "outcome": word(admitted) }),
    }
}

fn not_json(error: NotJson) -> Problem {
    let (status, what) = match error {
        NotJson::Malformed(at) => {
            (StatusCode::BAD_REQUEST, format!("the payload is not CBOR from byte {at}"))
        }
        NotJson::Unsayable(at, what) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("the payload holds {what} at byte {at}, which a manifest has no place for"),
        ),
        NotJson::TooDeep => (StatusCode::UNPROCESSABLE_ENTITY, "the payload is nested too deep".to_owned()),
        NotJson::TooLong => {
            (StatusCode::PAYLOAD_TOO_LARGE, format!("the payload is longer than {PAYLOAD_MAX} bytes as JSON"))
        }
    };
    Problem::new(status, "unreadable", what, "it will not be taken as it is; mend the device")
}
