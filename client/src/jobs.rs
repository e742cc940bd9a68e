//! jobs-service's calls, one method each. Whose jobs they are comes from the access token alone. Typed calls of a service of your
//! own look like these.

use reqwest::Url;
use reqwest::header::{HeaderMap, LINK};
use reqwest_middleware::ClientWithMiddleware;
use uuid::Uuid;

use crate::services::ServiceUrl;
use crate::{Error, Job, JobDraft, call};

/// The calls of one jobs-service, by [`Client::jobs`](crate::Client::jobs).
#[derive(Debug, Clone)]
pub struct Jobs {
    http: ClientWithMiddleware,
    base: ServiceUrl,
}

/// A part of the list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobPage {
    /// Newest first.
    pub jobs: Vec<Job>,
    /// Where it goes on; `None` where this was the last page.
    pub next: Option<NextPage>,
}

/// Where a list goes on, by the service's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage {
    query: String,
}

impl Jobs {
    pub(crate) fn new(http: ClientWithMiddleware, base: ServiceUrl) -> Self {
        Self { http, base }
    }

    /// `GET /job-list`: the first page, of 1 to 500 jobs; 100 if nothing is said.
    pub async fn list(&self, limit: Option<u16>) -> Result<JobPage, Error> {
        let mut url = self.base.at(["job-list"]);
        if let Some(limit) = limit {
            url.query_pairs_mut().append_pair("limit", &limit.to_string());
        }
        self.page(url).await
    }

    /// `GET /job-list`: the page after one that was read. Jobs that are made or deleted meanwhile neither repeat nor skip any other.
    pub async fn list_next(&self, next: &NextPage) -> Result<JobPage, Error> {
        let mut url = self.base.at(["job-list"]);
        url.set_query(Some(&next.query));
        self.page(url).await
    }

    /// All pages, one after the other.
    pub async fn list_all(&self) -> Result<Vec<Job>, Error> {
        let mut page = self.list(None).await?;
        let mut jobs = page.jobs;
        while let Some(next) = page.next {
            page = self.list_next(&next).await?;
            jobs.append(&mut page.jobs);
        }
        Ok(jobs)
    }

    /// `POST /jobs`. Not to be repeated blindly where no answer came: the job may be there.
    pub async fn create(&self, draft: &JobDraft) -> Result<Job, Error> {
        call::read(self.http.post(self.base.at(["jobs"])).json(draft)).await
    }

    /// `GET /jobs/{id}`. `not_found` if it is not the user's, or not at all.
    pub async fn get(&self, id: Uuid) -> Result<Job, Error> {
        call::read(self.http.get(self.job(id))).await
    }

    /// `PUT /jobs/{id}`: replaces all of it. What the draft does not say is as in a new job.
    pub async fn replace(&self, id: Uuid, draft: &JobDraft) -> Result<Job, Error> {
        call::read(self.http.put(self.job(id)).json(draft)).await
    }

    /// `DELETE /jobs/{id}`
    pub async fn delete(&self, id: Uuid) -> Result<(), Error> {
        call::send(self.http.delete(self.job(id))).await.map(drop)
    }

    fn job(&self, id: Uuid) -> Url {
        self.base.at(["jobs", &id.to_string()])
    }

    async fn page(&self, url: Url) -> Result<JobPage, Error> {
        let response = call::send(self.http.get(url)).await?;
        let next = next_page(response.headers());
        Ok(JobPage { jobs: call::json(response).await?, next })
    }
}

/// Only the query of the `next` link (RFC 8288) is used, so that no header can send the list, and its token, elsewhere.
fn next_page(headers: &HeaderMap) -> Option<NextPage> {
    let values = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    // A link begins with `<`, which none of its parameters does here.
    let mut links = values.flat_map(|value| value.split('<').skip(1)).filter_map(|link| link.split_once('>'));
    let (target, _) = links.find(|(_, parameters)| is_next(parameters))?;
    let (_, query) = target.split_once('?')?;
    Some(NextPage { query: query.to_owned() })
}

fn is_next(parameters: &str) -> bool {
    parameters.split([';', ',']).any(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else { return false };
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn next(link: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(LINK, link.parse().unwrap())]);
        next_page(&headers).map(|next| next.query)
    }

    #[rstest]
    #[case(r#"<?limit=100&after=7>; rel="next""#, "limit=100&after=7")]
    #[case("<job-list?after=7>; rel=next", "after=7")]
    #[case(r#"<?after=1>; rel="prev", <?after=7>; title="more"; rel="last next""#, "after=7")]
    #[case(r#"<https://elsewhere.test/x?after=7>; REL="Next""#, "after=7")]
    fn the_next_page_is_found_in_the_link_header(#[case] link: &str, #[case] query: &str) {
        assert_eq!(next(link).as_deref(), Some(query));
    }

    #[rstest]
    #[case(r#"<?after=7>; rel="prev""#)]
    #[case(r#"<?after=7>; title="next""#)]
    #[case(r#"</job-list>; rel="next""#)]
    #[case("next")]
    fn there_is_none_where_none_is_named(#[case] link: &str) {
        assert_eq!(next(link), None);
        assert_eq!(next_page(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn the_link_that_our_services_write_is_found_among_others(
            limit in 1..=500_u16,
            after in any::<u128>().prop_map(Uuid::from_u128),
            before in "(<[a-z?=/]{0,10}>; rel=\"?prev\"?, ?)?",
            behind in "(, ?<[a-z?=/]{0,10}>; rel=last)?",
        ) {
            let query = format!("limit={limit}&after={after}");
            prop_assert_eq!(next(&format!("{before}<?{query}>; rel=\"next\"{behind}")), Some(query));
        }

        #[test]
        fn whatever_the_header_says_only_a_query_in_it_is_followed(link in prop_oneof!["[<>?;=,\"a rlnextE-]{0,40}", "[ -~]{0,40}"]) {
            if let Some(query) = next(&link) {
                prop_assert!(link.contains(&format!("?{query}>")), "{:?}", query);
                let page = Url::parse("https://latchkey.test/api/jobs/job-list").unwrap();
                let mut asked = page.clone();
                asked.set_query(Some(&query));
                prop_assert_eq!((asked.origin(), asked.path()), (page.origin(), page.path()));
            }
        }
    }
}
