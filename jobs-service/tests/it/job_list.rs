//! `GET /job-list`: the caller's jobs in pages, newest first.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{User, start};

/// Makes this many jobs, several of them within one millisecond; answers their ids, newest first.
async fn make(user: &User<'_>, count: usize) -> Vec<Value> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.insert(0, user.make(&format!("Job {number}")).await.1["id"].clone());
        if number % 3 == 2 {
            user.app.clock.advance(TimeDelta::milliseconds(1));
        }
    }
    ids
}

/// Where the next page is, resolved as a browser would.
fn next(here: &str, link: &str) -> Option<String> {
    let relative = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    let here: reqwest::Url = format!("http://jobs.test{here}").parse().unwrap();
    let next = here.join(relative).unwrap();
    Some(format!("{}?{}", next.path(), next.query().unwrap()))
}

/// The ids of all pages from this one on, and how many there were on each.
async fn walk(user: &User<'_>, first: &str) -> (Vec<Value>, Vec<usize>) {
    let (mut ids, mut sizes, mut path) = (Vec::new(), Vec::new(), Some(first.to_owned()));
    while let Some(here) = path {
        let answer = user.get(&here).await;
        let page = answer.expect(200);
        sizes.push(page.as_array().unwrap().len());
        ids.extend(page.as_array().unwrap().iter().map(|job| job["id"].clone()));
        path = next(&here, answer.header("link"));
    }
    (ids, sizes)
}

#[actix_web::test]
async fn the_list_of_a_new_user_is_empty() {
    let app = start().await;
    let answer = app.user().get("/job-list").await;
    assert_eq!((answer.expect(200), answer.header("link")), (json!([]), ""));
}

#[actix_web::test]
async fn the_list_has_whole_jobs_newest_first() {
    let app = start().await;
    let user = app.user();
    let (_, first) = user.make("First").await;
    let (_, second) = user.make("Second, in the same millisecond").await;
    app.clock.advance(TimeDelta::milliseconds(1));
    let (_, third) = user.make("Third").await;
    assert_eq!(user.get("/job-list").await.expect(200), json!([third, second, first]));
}

#[actix_web::test]
async fn a_clock_that_is_put_back_does_not_change_the_order() {
    let app = start().await;
    let user = app.user();
    let (_, first) = user.make("First").await;
    app.clock.advance(TimeDelta::seconds(-30));
    let (_, second) = user.make("Second").await;
    assert_eq!(user.get("/job-list").await.expect(200), json!([second, first]));
}

#[actix_web::test]
async fn a_replaced_job_stays_where_it_is() {
    let app = start().await;
    let user = app.user();
    let (path, _) = user.make("First").await;
    let (_, second) = user.make("Second").await;
    app.clock.advance(TimeDelta::seconds(1));
    let replaced = user.put(&path, &json!({ "title": "First, again" })).await.expect(200);
    assert_eq!(user.get("/job-list").await.expect(200), json!([second, replaced]));
}

#[rstest]
#[case::no_jobs(0, vec![0])]
#[case::fewer_than_a_page(2, vec![2])]
#[case::exactly_a_page(3, vec![3])]
#[case::one_more(4, vec![3, 1])]
#[case::several_pages(10, vec![3, 3, 3, 1])]
#[actix_web::test]
async fn pages_put_together_are_the_whole_list(#[case] count: usize, #[case] sizes: Vec<usize>) {
    let app = start().await;
    let user = app.user();
    let made = make(&user, count).await;
    assert_eq!(walk(&user, "/job-list?limit=3").await, (made, sizes));
}

#[actix_web::test]
async fn a_page_has_100_jobs_if_nothing_is_said_and_says_so_in_its_link() {
    let app = start().await;
    let user = app.user();
    let made = make(&user, 101).await;
    let answer = user.get("/job-list").await;
    assert_eq!(answer.expect(200).as_array().unwrap().len(), 100);
    let last = made[99].as_str().unwrap();
    assert_eq!(answer.header("link"), format!("<?limit=100&after={last}>; rel=\"next\""));
    assert_eq!(walk(&user, "/job-list").await, (made, vec![100, 1]));
}

#[actix_web::test]
async fn pages_go_on_after_a_job_that_is_deleted_meanwhile() {
    let app = start().await;
    let user = app.user();
    let made = make(&user, 6).await;
    let first = user.get("/job-list?limit=2").await;
    for id in [&made[1], &made[2]] {
        assert_eq!(user.delete(&format!("/jobs/{}", id.as_str().unwrap())).await.status, 204);
    }
    let rest = walk(&user, &next("/job-list", first.header("link")).unwrap()).await;
    assert_eq!(rest, (made[3..].to_vec(), vec![2, 1]));
}

#[actix_web::test]
async fn jobs_made_meanwhile_do_not_shift_the_pages() {
    let app = start().await;
    let user = app.user();
    let made = make(&user, 4).await;
    let first = user.get("/job-list?limit=2").await;
    make(&user, 3).await;
    let rest = walk(&user, &next("/job-list", first.header("link")).unwrap()).await;
    assert_eq!(rest, (made[2..].to_vec(), vec![2]));
}

#[actix_web::test]
async fn a_page_may_have_one_job_and_may_have_500() {
    let app = start().await;
    let user = app.user();
    make(&user, 3).await;
    assert_eq!(user.get("/job-list?limit=1").await.expect(200).as_array().unwrap().len(), 1);
    assert_eq!(user.get("/job-list?limit=500").await.expect(200).as_array().unwrap().len(), 3);
}

#[rstest]
#[case::none("0")]
#[case::too_many("501")]
#[case::negative("-1")]
#[case::huge("9223372036854775807")]
#[actix_web::test]
async fn a_limit_out_of_range_is_named(#[case] limit: &str) {
    let app = start().await;
    let problem = app.user().get(&format!("/job-list?limit={limit}")).await.expect_problem(422, "validation_failed");
    assert_eq!(problem["errors"], json!({ "limit": ["must be 1 to 500"] }));
}

#[rstest]
#[case::text("limit=ten")]
#[case::nothing("limit=")]
#[case::a_fraction("limit=1.5")]
#[case::twice("limit=1&limit=2")]
#[actix_web::test]
async fn a_limit_that_is_no_number_is_a_bad_request(#[case] query: &str) {
    let app = start().await;
    app.user().get(&format!("/job-list?{query}")).await.expect_problem(400, "bad_request");
}

#[rstest]
#[case::text("yesterday")]
#[case::nothing("")]
#[case::cut("019a8e3c-0000-7000-8000")]
#[actix_web::test]
async fn an_after_that_is_no_id_is_named(#[case] after: &str) {
    let app = start().await;
    let problem =
        app.user().get(&format!("/job-list?limit=0&after={after}")).await.expect_problem(422, "validation_failed");
    assert_eq!(problem["errors"], json!({ "after": ["must be the id of a job"], "limit": ["must be 1 to 500"] }));
}
