//! `GET /job-list`

use actix_web::HttpResponse;
use actix_web::http::header::LINK;
use actix_web::web::Data;
use serde::Deserialize;
use service_kit::problem::QueryParams;
use shared_claims::Caller;
use utoipa::IntoParams;
use uuid::Uuid;

use super::bodies::JobBody;
use super::openapi::{AccessTokenRefused, ValidationFailed};
use crate::domain::{JobPage, Limit, PageRequest};
use crate::error::{Error, FieldErrors};
use crate::state::State;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// How many jobs at the most.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// The id of a job: only jobs older than it, whether it still exists or not.
    #[param(nullable = false, value_type = Option<Uuid>)]
    after: Option<String>,
}

/// The caller's jobs, newest first, in pages
#[utoipa::path(
    get,
    path = "/job-list",
    tag = "jobs",
    operation_id = "list_jobs",
    security(("accessToken" = [])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of jobs.", body = Vec<JobBody>, headers(
            ("Link" = String, description = "The next page (RFC 8288), relative to this one; absent where this page is the last."),
        )),
        AccessTokenRefused,
        ValidationFailed,
    )
)]
pub(super) async fn list(
    caller: Caller,
    state: Data<State>,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<HttpResponse, Error> {
    let wanted = query.parse()?;
    let page = state.jobs.list(caller.user_id(), &wanted).await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = next_link(&page, wanted.limit) {
        response.insert_header((LINK, next));
    }
    let bodies: Vec<_> = page.jobs.into_iter().map(JobBody::from).collect();
    Ok(response.json(bodies))
}

impl PageQuery {
    fn parse(self) -> Result<PageRequest, Error> {
        let mut errors = FieldErrors::default();
        let limit = errors.check("limit", self.limit.map_or(Ok(Limit::default()), Limit::parse));
        let after = errors.check("after", self.after.as_deref().map(job_id).transpose());
        match (limit, after) {
            (Some(limit), Some(after)) => Ok(PageRequest { limit, after }),
            _ => Err(Error::Unacceptable(errors)),
        }
    }
}

fn job_id(text: &str) -> Result<Uuid, &'static str> {
    Uuid::parse_str(text).map_err(|_| "must be the id of a job")
}

/// The next page (RFC 8288), relative to this one: behind whatever proxy, the caller knows best where this one was found.
fn next_link(page: &JobPage, limit: Limit) -> Option<String> {
    let last = page.jobs.last().filter(|_| page.has_more)?;
    Some(format!("<?limit={}&after={}>; rel=\"next\"", limit.get(), last.id))
}
