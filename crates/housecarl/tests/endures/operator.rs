//! The operator and the consumer of the home: what they ask, one after the other, and what of it was confirmed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;

use serde_json::{Value as Json, json};

use crate::history::Fault;
use crate::home::Home;
use crate::http::{Reply, ask};
use crate::log::Step;
use crate::person::{Person, Sent};

/// They, before a gateway.
#[derive(Debug)]
pub(crate) struct Operator<'h> {
    pub(crate) home: &'h Home,
    pub(crate) http: SocketAddr,
    /// Everything that was asked and leaves an entry in the log, in order.
    pub(crate) asked: Vec<Step>,
}

impl Operator<'_> {
    /// Whether an answer says that it is done. One that says "not now" has promised nothing.
    fn note(&mut self, what: String, reply: Option<&Reply>) -> Result<bool, Fault> {
        let confirmed = match reply.map(|reply| reply.status) {
            Some(200) => true,
            None | Some(503) => false,
            Some(other) => return Err(Fault::Wrong(format!("{what}: status {other}"))),
        };
        self.asked.push(Step { what, confirmed });
        Ok(confirmed)
    }

    /// What a purpose may see about somebody of the heart rate, received from this moment on (RFC 3339): each is the number
    /// of its message. `None` where the answer was not whole.
    pub(crate) fn read(
        &mut self,
        person: &str,
        purpose: &str,
        from: &str,
    ) -> Result<Option<Vec<u64>>, Fault> {
        let path = format!("/v1/data/{purpose}?person={person}&from={from}");
        let reply = ask(self.http, "GET", &path, &self.home.consumer, "");
        if !self.note(format!("read {purpose} {person}"), reply.as_ref())? {
            return Ok(None);
        }
        let number = |line: &str| serde_json::from_str::<Json>(line).unwrap()["value"].as_u64().unwrap();
        Ok(reply.map(|reply| reply.body.lines().map(number).collect()))
    }

    /// Somebody agrees to coaching, or takes it back. Whether that was confirmed.
    pub(crate) fn choose(&mut self, person: &Mutex<Person>) -> Result<bool, Fault> {
        let mut person = person.lock().unwrap();
        let agrees = !person.coaching.unwrap_or_default();
        let said = if agrees {
            json!({ "said": "agreed", "purpose": "coaching", "fingerprint": self.home.coaching, "act": {
                "request": "set-up", "shown": "07".repeat(32), "surface": "phone-app", "method": "tap",
                "language": "en",
            } })
        } else {
            json!({ "said": "refused", "purpose": "coaching" })
        };
        let body = json!({ "product": "watch", "choices": [said] }).to_string();
        let path = format!("/v1/homes/{}/persons/{}/choices", self.home.id, person.id);
        let reply = ask(self.http, "POST", &path, &self.home.operator, &body);
        let word = if agrees { "agreed" } else { "refused" };
        let confirmed = self.note(format!("choice {word} coaching {}", person.id), reply.as_ref())?;
        person.coaching = confirmed.then_some(agrees);
        Ok(confirmed)
    }

    /// Erases somebody, unless something was sent for them of which nobody knows what became. Whether that was
    /// confirmed; `None` where it was not asked.
    pub(crate) fn erase(
        &mut self,
        person: &Mutex<Person>,
        now: impl FnOnce(),
    ) -> Result<Option<bool>, Fault> {
        let mut person = person.lock().unwrap();
        if person.messages.values().any(|sent| *sent == Sent::Unanswered) || person.in_doubt.is_some() {
            return Ok(None);
        }
        now();
        let path = format!("/v1/homes/{}/persons/{}/data?all=true", self.home.id, person.id);
        let reply = ask(self.http, "DELETE", &path, &self.home.operator, "");
        let confirmed = self.note(format!("erase {}", person.id), reply.as_ref())?;
        if confirmed {
            person.messages.clear();
        } else {
            person.in_doubt = Some(person.messages.keys().copied().collect::<BTreeSet<u64>>());
        }
        Ok(Some(confirmed))
    }
}
