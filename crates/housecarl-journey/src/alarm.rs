//! The alarm: it rings once, when the disk has failed, and the process has to end.
//!
//! After a sync that failed, the next one says yes and what was written before it may be lost all the
//! same. So nothing is promised any more, by whoever found it and by everybody else, and what is
//! there is found out by starting again.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::ErrorCode;

use crate::audit::AuditError;
use crate::journey::Journey;
use crate::people::RegisterError;

/// What is done when it rings.
type Told = Box<dyn FnOnce(&dyn Error) + Send>;

/// See the module.
#[derive(Default)]
pub(crate) struct Alarm {
    rung: AtomicBool,
    told: Mutex<Option<Told>>,
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alarm")
    }
}

impl Alarm {
    pub(crate) fn new(told: impl FnOnce(&dyn Error) + Send + 'static) -> Self {
        Self { rung: AtomicBool::new(false), told: Mutex::new(Some(Box::new(told))) }
    }

    pub(crate) fn ring(&self, error: &dyn Error) {
        self.rung.store(true, Ordering::SeqCst);
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(told) = told {
            told(error);
        }
    }

    pub(crate) fn has_rung(&self) -> bool {
        self.rung.load(Ordering::SeqCst)
    }
}

impl RegisterError {
    /// Whether the disk has failed under it. A full one has not.
    fn is_the_disk(&self) -> bool {
        let Self::Broken(error) = self else { return false };
        let code = error.sqlite_error_code();
        matches!(code, Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::ReadOnly))
    }
}

impl AuditError {
    fn is_the_disk(&self) -> bool {
        match self {
            Self::Register(error) => error.is_the_disk(),
            Self::File(_, error) => is_io(error),
            _ => false,
        }
    }
}

/// Whether it is an error of the disk itself, and not of what was asked of it.
fn is_io(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

impl Alarm {
    /// Passes on how something of the register ended, and rings where the disk has failed.
    pub(crate) fn mind_register<T>(&self, done: Result<T, RegisterError>) -> Result<T, RegisterError> {
        if let Err(error) = done.as_ref()
            && error.is_the_disk()
        {
            self.ring(error);
        }
        done
    }

    /// The same for the log.
    pub(crate) fn mind_log<T>(&self, done: Result<T, AuditError>) -> Result<T, AuditError> {
        if let Err(error) = done.as_ref()
            && error.is_the_disk()
        {
            self.ring(error);
        }
        done
    }
}

impl Journey {
    /// Finds out whether the disk has failed where nobody waits for an answer, and makes the reserve
    /// whole again where there is room. To be called every second or so.
    pub fn look_after_the_disk(&self) {
        if let Err(error) = self.keys.check() {
            self.alarm.ring(&error);
        }
        if let Err(error) = self.store.check() {
            self.alarm.ring(&error);
        }
        match self.reserve.restore() {
            Err(error) if is_io(&error) => self.alarm.ring(&error),
            // Full, or it cannot be done here; it is tried again.
            _ => {}
        }
    }
}
