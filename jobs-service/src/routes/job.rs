//! `GET`, `PUT` and `DELETE /jobs/{id}`. A job that is another user's is not there, whatever the verb.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use service_kit::problem::{JsonBody, PathParams};
use shared_claims::Caller;
use uuid::Uuid;

use super::bodies::{ContentBody, JobBody};
use super::openapi::{AccessTokenRefused, NotFound, ValidationFailed};
use crate::error::Error;
use crate::state::State;

/// One job of the caller's
#[utoipa::path(
    get,
    path = "/jobs/{id}",
    tag = "jobs",
    operation_id = "show_job",
    security(("accessToken" = [])),
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The job.", body = JobBody), AccessTokenRefused, NotFound)
)]
pub(super) async fn show(
    caller: Caller,
    state: Data<State>,
    PathParams(id): PathParams<Uuid>,
) -> Result<Json<JobBody>, Error> {
    let job = state.jobs.find(caller.user_id(), id).await?.ok_or(Error::NoSuchJob)?;
    Ok(Json(job.into()))
}

/// Replace a job of the caller's: what is left out is as in a new job
#[utoipa::path(
    put,
    path = "/jobs/{id}",
    tag = "jobs",
    operation_id = "replace_job",
    security(("accessToken" = [])),
    params(("id" = Uuid, Path, description = "The job.")),
    request_body = ContentBody,
    responses(
        (status = 200, description = "The job as it is now.", body = JobBody),
        AccessTokenRefused,
        NotFound,
        ValidationFailed,
    )
)]
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

/// Delete a job of the caller's
#[utoipa::path(
    delete,
    path = "/jobs/{id}",
    tag = "jobs",
    operation_id = "delete_job",
    security(("accessToken" = [])),
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 204, description = "It is gone."), AccessTokenRefused, NotFound)
)]
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
