//! What is answered: an answer, or a problem with a way on.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use housecarl_journey::journey::{NotAdmitted, NotChanged};
use housecarl_journey::people::NotSayable;
use housecarl_journey::{Unreadable, receive};
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use crate::ingest::OverQuota;

/// An answer.
pub(super) type Answer = Response<Content>;

/// What an answer consists of.
#[derive(Debug)]
pub(super) enum Content {
    /// All of it, known beforehand.
    Whole(Bytes),
    /// Line by line, as long as there are any.
    Lines(mpsc::Receiver<Result<Bytes, Broken>>),
}

/// What was to be read could not be read to its end: the answer breaks off, so that nobody takes it
/// for the whole.
#[derive(Debug)]
pub(super) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer breaks off")
    }
}

impl std::error::Error for Broken {}

impl Body for Content {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Lines(lines) => lines.poll_recv(cx).map(|line| line.map(|line| line.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Lines(_) => SizeHint::default(),
        }
    }
}

/// An answer of this type. Nothing between here and the reader may keep it.
pub(super) fn of_type(status: StatusCode, kind: &'static str, content: Content) -> Answer {
    let mut answer = Response::new(content);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &Json) -> Answer {
    let mut text = value.to_string();
    text.push('\n');
    of_type(status, "application/json", Content::Whole(text.into()))
}

/// Something that did not happen: what, why, and what to do. It never holds a value of a payload,
/// nor anybody's name or id.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    code: &'static str,
    what: Cow<'static, str>,
    help: &'static str,
    /// The methods that the address takes.
    allowed: Option<Box<str>>,
    /// After how many seconds to try again.
    again_after: Option<u64>,
    /// What was done all the same.
    done: Option<(&'static str, usize)>,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        what: impl Into<Cow<'static, str>>,
        help: &'static str,
    ) -> Self {
        Self { status, code, what: what.into(), help, allowed: None, again_after: None, done: None }
    }

    /// There is no such thing, or not there.
    pub(super) fn unknown(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown",
            format!("there is no such {what} here"),
            "see the id or name, and that it belongs to what stands before it in the address",
        )
    }

    /// Nobody, or nobody who is known.
    pub(super) fn no_credential(what: &'static str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "credential",
            what,
            "send `Authorization: Bearer <token>`; a device sends `Bearer <id>.<secret>`, or Basic with its id and secret",
        )
    }

    /// Somebody who may not.
    pub(super) fn not_allowed(what: &'static str, help: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-allowed", what, help)
    }

    /// The address is there, and takes other methods.
    pub(super) fn method(allowed: String) -> Self {
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            "this address does not take this method",
            "the header `Allow` says which it takes",
        );
        problem.allowed = Some(allowed.into_boxed_str());
        problem
    }

    /// A fault of ours.
    pub(super) fn fault() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "fault",
            "something went wrong here, and it is not yours",
            "it may not have happened; ask again, and tell who runs this gateway",
        )
    }

    /// Not now.
    pub(super) fn later(code: &'static str, what: impl Into<Cow<'static, str>>) -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            code,
            what,
            "send it again after the time in `Retry-After`; what was kept before is known again",
        );
        problem.again_after = Some(1);
        problem
    }

    /// A device that sends more than it may.
    pub(super) fn over_quota(over: OverQuota) -> Self {
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "quota",
            "this device sends more than it may",
            "send it again after the time in `Retry-After`, and less often from then on",
        );
        problem.again_after = Some(over.seconds());
        problem
    }

    /// The body is not what is expected here.
    pub(super) fn body(status: StatusCode, what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, "body", what, "`docs/http.md` says what this address takes")
    }

    /// The query is not what is expected here.
    pub(super) fn query(what: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "query", what, "`docs/http.md` says what this address takes")
    }

    pub(super) fn done(mut self, what: &'static str, number: usize) -> Self {
        self.done = Some((what, number));
        self
    }

    /// In JSON.
    pub(super) fn to_json(&self) -> Json {
        let mut error = json!({ "code": self.code, "what": self.what, "help": self.help });
        if let (Some((what, number)), Some(members)) = (self.done, error.as_object_mut()) {
            members.insert(what.to_owned(), number.into());
        }
        error
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let mut answer = json(problem.status, &json!({ "error": problem.to_json() }));
        let header = match problem.status {
            StatusCode::UNAUTHORIZED => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"housecarl\"")))
            }
            _ => match problem.again_after {
                Some(seconds) => Some((RETRY_AFTER, seconds.into())),
                None => {
                    problem.allowed.and_then(|allowed| Some((ALLOW, HeaderValue::from_str(&allowed).ok()?)))
                }
            },
        };
        if let Some((name, value)) = header {
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}

impl From<NotChanged> for Problem {
    fn from(error: NotChanged) -> Self {
        match error {
            NotChanged::Unknown(what) => Self::unknown(what),
            NotChanged::NotSayable(NotSayable::OutOfDate(_)) => Self::new(
                StatusCode::CONFLICT,
                "out-of-date",
                error.to_string(),
                "`GET /v1/products/{product}` gives the present fingerprints",
            ),
            NotChanged::NotSayable(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "not-sayable",
                error.to_string(),
                "see the names in the manifest, and whether it is said about a person or a device",
            ),
            NotChanged::Unselected => Self::query("the time that is to be erased has no moment in it"),
            NotChanged::NoSuchAge => Self::body(StatusCode::BAD_REQUEST, error.to_string()),
            NotChanged::Stopped(failed) => Self::later("stopped", failed.to_string()),
            NotChanged::Table(_) => Self::fault(),
            // What these say is the operator's to read in the log, and names files.
            NotChanged::Register(_)
            | NotChanged::Keys(_)
            | NotChanged::Store(_)
            | NotChanged::Audit(_)
            | NotChanged::Copy(..) => Self::later("not-written", "it could not be written down"),
        }
    }
}

impl From<NotAdmitted> for Problem {
    fn from(error: NotAdmitted) -> Self {
        match error {
            NotAdmitted::Unreadable(unreadable) => unreadable.into(),
            NotAdmitted::NoSuchDevice => Self::unknown("device"),
            NotAdmitted::NoSuchStream => Self::unknown("stream"),
            NotAdmitted::Later(failed) => Self::later("not-kept", failed.to_string()),
        }
    }
}

impl From<Unreadable> for Problem {
    fn from(error: Unreadable) -> Self {
        let status = match error {
            Unreadable::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Unreadable::Empty | Unreadable::NotJson { .. } => StatusCode::BAD_REQUEST,
            Unreadable::Beyond(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, "unreadable", error.to_string(), "it will not be taken as it is; mend the device")
    }
}

/// The largest payload: what the journey takes.
pub(super) const PAYLOAD_MAX: usize = receive::PAYLOAD_MAX;
