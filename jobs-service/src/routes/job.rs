//! `GET`, `PUT` and `DELETE /jobs/{id}`. A job that is another user's is not there, whatever the verb.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use service_kit::problem::{JsonBody, PathParams};
use shared_claims::Caller;
use uuid::Uuid;

use super::bodies::{ContentBody, JobBody};
use crate::error::Error;
use crate::state::State;

pub(super) async fn show(
    caller: Caller,
    state: Data<State>,
    PathParams(id): PathParams<Uuid>,
) -> Result<Json<JobBody>, Error> {
    let job = state.jobs.find(caller.user_id(), id).await?.ok_or(Error::NoSuchJob)?;
    Ok(Json(job.into()))
}

pub(super) async fn replace(
    caller: Caller,
    state: Data<State>,
    PathParams(id): PathParams<Uuid>,
    JsonBody(body): JsonBody<ContentBody>,
) -> Result<Json<JobBody>, Error> {
    let content = body.parse()?;
    let job = state.jobs.replace(caller.user_id(), id, &content, state.now()).await?.ok_or(Error::NoSuchJob)?;
    Ok(Json(job.into()))
}

pub(super) async fn delete(
    caller: Caller,
    state: Data<State>,
    PathParams(id): PathParams<Uuid>,
) -> Result<HttpResponse, Error> {
    if !state.jobs.delete(caller.user_id(), id).await? {
        return Err(Error::NoSuchJob);
    }
    Ok(HttpResponse::NoContent().finish())
}
