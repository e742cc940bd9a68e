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

#[cfg(test)]
mod tests {
    use actix_web::web::Query;
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Description, Job, JobContent, Status, Title};

    fn page_until(id: Uuid) -> JobPage {
        let title = Title::parse("Water the ferns").expect("a title");
        let content = JobContent { title, description: Description::default(), status: Status::Open };
        let job = Job { id, content, created_at: DateTime::UNIX_EPOCH, updated_at: DateTime::UNIX_EPOCH };
        JobPage { jobs: vec![job], has_more: true }
    }

    fn read(query: &str) -> Option<PageRequest> {
        Query::<PageQuery>::from_query(query).ok()?.into_inner().parse().ok()
    }

    proptest! {
        #[test]
        fn the_next_page_is_asked_for_by_the_link_to_it(limit in 1..=500_i64, id in any::<u128>().prop_map(Uuid::from_u128)) {
            let limit = Limit::parse(limit).expect("a limit");
            let link = next_link(&page_until(id), limit).expect("there is more");
            let query = link.strip_prefix("<?").and_then(|link| link.strip_suffix(">; rel=\"next\"")).expect("a link");
            prop_assert_eq!(read(query), Some(PageRequest { limit, after: Some(id) }));
        }

        #[test]
        fn a_page_that_is_accepted_is_one_that_there_can_be(
            limit in prop_oneof!["-?[0-9]{0,20}", "\\PC{0,6}"],
            after in prop_oneof!["[0-9a-fA-F{}-]{0,38}", "\\PC{0,10}"],
        ) {
            if let Some(request) = read(&format!("limit={limit}&after={after}")) {
                prop_assert!((1..=500).contains(&request.limit.get()));
                let digits = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>();
                let id = request.after.expect("an id");
                prop_assert_eq!(digits(&id.simple().to_string()), digits(&after.to_ascii_lowercase()));
            }
        }
    }
}
