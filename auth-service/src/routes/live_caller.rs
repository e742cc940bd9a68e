//! A caller whose user is there and not disabled: what a stateless token alone cannot say.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest};
use shared_claims::{AccessRefused, Caller};
use uuid::Uuid;

use crate::domain::Failure;
use crate::domain::deadline::Deadline;
use crate::domain::session::Asking;
use crate::domain::user::User;
use crate::state::State;

/// The caller of a handler that needs the user as they are now. Whether their session lives is the store's to say.
pub(super) struct LiveCaller {
    pub(super) user: User,
    pub(super) session_id: Uuid,
    /// When the request must be answered, of which time to look the user up has taken a part.
    pub(super) deadline: Deadline,
}

impl LiveCaller {
    /// The session that asks for something, as the stores are asked.
    pub(super) fn asking(&self) -> Asking {
        Asking { session_id: self.session_id, credential_version: self.user.credential_version }
    }
}

impl FromRequest for LiveCaller {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (caller, state) = (Caller::from_request(request, payload), Data::<State>::from_request(request, payload));
        Box::pin(async move {
            let (caller, state) = (caller.await?, state.await?);
            let deadline = Deadline::of_a_request();
            let user = state.users.find(caller.user_id()).await.map_err(Failure::from)?;
            match user.filter(|user| !user.is_disabled) {
                Some(user) => Ok(Self { user, session_id: caller.session_id(), deadline }),
                None => Err(AccessRefused::Revoked.into()),
            }
        })
    }
}
