//! What every request may need, made once at start. Who calls is not in here: that is the `Caller` in a handler's signature.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use shared_claims::Clock;

use crate::domain::JobIds;
use crate::store::Jobs;

/// The parts of a running jobs-service.
pub(crate) struct State {
    pub(crate) jobs: Jobs,
    pub(crate) ids: JobIds,
    pub(crate) clock: Arc<dyn Clock>,
}

impl State {
    /// Now, to the millisecond: what the store keeps and the caller sees.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }
}
