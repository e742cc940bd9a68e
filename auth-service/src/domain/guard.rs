//! Who may guess at a password now. The counting itself is in `attempts`; here it is said what is counted, and where.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use service_kit::metrics::Counters;
use uuid::Uuid;

use super::attempts::{Admission, Bucket, KNOWN_FOR, Limit};
use super::session::after;
use crate::metrics::LimitHit;
use crate::stores::{AttemptStore, StoreError};

/// How guessing is limited, for each kind of bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuessLimits {
    /// For an account, from addresses that its user has not signed in from; for the user at each that they have; and for the
    /// fingerprint of a session.
    pub account: Limit,
    /// For an address, whatever the account.
    pub address: Limit,
}

/// Slows guessing down. Without limits it lets everything through.
pub struct Guard {
    attempts: Arc<dyn AttemptStore>,
    limits: Option<GuessLimits>,
    limits_hit: Counters<LimitHit>,
}

/// An attempt that may be made, and is counted until it turns out right.
pub enum Ticket {
    /// By somebody at an address where the account's user signed in before.
    Known(Bucket),
    /// By somebody who might be anybody.
    Unknown {
        /// Their address.
        address: Bucket,
        /// The account they try.
        account: Bucket,
    },
    /// Nothing is limited.
    Unlimited,
}

impl Guard {
    /// A guard that counts in this store.
    pub(crate) fn new(
        attempts: Arc<dyn AttemptStore>,
        limits: Option<GuessLimits>,
        limits_hit: Counters<LimitHit>,
    ) -> Self {
        Self { attempts, limits, limits_hit }
    }

    /// Lets an attempt on an account through, or says how long it must wait.
    ///
    /// Whoever hammers an account does not keep its user out: the user's own addresses have an allowance of their own.
    /// An account that does not exist is counted all the same, and with the same work.
    pub async fn admit(
        &self,
        user_id: Option<Uuid>,
        typed: &str,
        address: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<Result<Ticket, Duration>, StoreError> {
        let Some(limits) = &self.limits else { return Ok(Ok(Ticket::Unlimited)) };
        let known = Bucket::of_known(user_id.unwrap_or(Uuid::nil()), address);
        if let Some(admission) = self.attempts.attempt_where_known(known, &limits.account, now).await? {
            return Ok(self.judge(admission, LimitHit::KnownAddress).map(|()| Ticket::Known(known)));
        }
        let account = match user_id {
            Some(id) => Bucket::of_account(&id.to_string()),
            None => Bucket::of_account(typed),
        };
        let address = Bucket::of_address(address);
        let admission = self.attempts.attempt(address, &limits.address, now).await?;
        if let Err(wait) = self.judge(admission, LimitHit::Address) {
            // The account may have to wait for longer, and the wait told is the whole wait.
            return Ok(Err(wait.max(self.attempts.wait(account, &limits.account, now).await?)));
        }
        let admission = self.attempts.attempt(account, &limits.account, now).await?;
        match self.judge(admission, LimitHit::Account) {
            Ok(()) => Ok(Ok(Ticket::Unknown { address, account })),
            Err(wait) => {
                // Nobody looks at this one, so it is no guess from that address either; and the wait told is the whole wait.
                self.attempts.take_back(address, now).await?;
                Ok(Err(wait))
            }
        }
    }

    /// Counts a fingerprint of a session that was wrong, unless there were too many. None that is right is ever counted.
    pub async fn fingerprint_was_wrong(&self, session_id: Uuid, now: DateTime<Utc>) -> Result<Admission, StoreError> {
        let Some(limits) = &self.limits else { return Ok(Admission::Admitted) };
        self.attempts.attempt(Bucket::of_fingerprints(session_id), &limits.account, now).await
    }

    /// Counts one more act of an address that costs something, such as making an account.
    pub async fn admit_address(&self, address: IpAddr, now: DateTime<Utc>) -> Result<Result<(), Duration>, StoreError> {
        let Some(limits) = &self.limits else { return Ok(Ok(())) };
        let admission = self.attempts.attempt(Bucket::of_address(address), &limits.address, now).await?;
        Ok(self.judge(admission, LimitHit::Address))
    }

    /// Takes an attempt back that was right, and knows its address from now on.
    ///
    /// What was decided stands even if this fails: at worst the next wrong attempt waits earlier than it had to.
    pub async fn was_right(&self, ticket: Ticket, user_id: Uuid, address: IpAddr, now: DateTime<Utc>) {
        let known = Bucket::of_known(user_id, address);
        let outcome = match ticket {
            Ticket::Unlimited => return,
            Ticket::Known(known) => self.attempts.know(known, after(now, KNOWN_FOR), now).await,
            Ticket::Unknown { address, account } => futures_util::future::try_join3(
                self.attempts.take_back(address, now),
                self.attempts.take_back(account, now),
                self.attempts.know(known, after(now, KNOWN_FOR), now),
            )
            .await
            .map(drop),
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, "an attempt that was right could not be taken back");
        }
    }

    fn judge(&self, admission: Admission, limit: LimitHit) -> Result<(), Duration> {
        match admission {
            Admission::Admitted => Ok(()),
            Admission::Wait(wait) => {
                self.limits_hit.count(limit);
                Err(wait)
            }
        }
    }
}
