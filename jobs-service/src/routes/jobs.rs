//! `POST /jobs`

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use service_kit::problem::JsonBody;
use shared_claims::Caller;

use super::bodies::{ContentBody, JobBody};
use crate::domain::Job;
use crate::error::Error;
use crate::state::State;

pub(super) async fn create(
    caller: Caller,
    state: Data<State>,
    JsonBody(body): JsonBody<ContentBody>,
) -> Result<HttpResponse, Error> {
    let content = body.parse()?;
    let now = state.now();
    let job = Job { id: state.ids.next(now), content, created_at: now, updated_at: now };
    state.jobs.insert(caller.user_id(), &job).await?;
    // Relative, as the service may be found below a path that it does not know.
    let location = format!("jobs/{}", job.id);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(JobBody::from(job)))
}
