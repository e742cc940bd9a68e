//! `POST /jobs`

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use service_kit::problem::JsonBody;
use shared_claims::Caller;

use super::bodies::{ContentBody, JobBody};
use super::openapi::{AccessTokenRefused, ValidationFailed};
use crate::domain::Job;
use crate::error::Error;
use crate::state::State;

/// Make a job
#[utoipa::path(
    post,
    path = "/jobs",
    tag = "jobs",
    operation_id = "create_job",
    security(("accessToken" = [])),
    request_body = ContentBody,
    responses(
        (status = 201, description = "The job.", body = JobBody,
            headers(("Location" = String, description = "Where it is, relative to the path of the call: `jobs/ID`.")),
            links(
                ("show" = (operation_id = "show_job", parameters(("id" = "$response.body#/id")))),
                ("replace" = (operation_id = "replace_job", parameters(("id" = "$response.body#/id")))),
                ("delete" = (operation_id = "delete_job", parameters(("id" = "$response.body#/id")))),
            )
        ),
        AccessTokenRefused,
        ValidationFailed,
    )
)]
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
