//! What is counted of requests, as a scrape sees it. That the text is well-formed throughout is for the system tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use async_trait::async_trait;
use service_kit::health::{Check, CheckFailed, Health};
use service_kit::metrics::Metrics;
use service_kit::problem::{Problem, resource};
use service_kit::server;

use crate::support::{Answer, answer, client, config};

#[derive(Default)]
struct Switch {
    fails: AtomicBool,
}

#[async_trait]
impl Check for Switch {
    async fn check(&self) -> Result<(), CheckFailed> {
        if self.fails.load(Ordering::SeqCst) { Err(CheckFailed::new("switched off")) } else { Ok(()) }
    }
}

fn routes(app: &mut web::ServiceConfig) {
    let fine = || async { HttpResponse::NoContent().finish() };
    let fails = || async { Problem::unavailable(1) };
    app.service(resource("/items/{id}", [(Method::GET, web::to(fine)), (Method::DELETE, web::to(fine))]))
        .service(resource("/failing", [(Method::GET, web::to(fails))]))
        .service(resource("/panic", [(Method::GET, web::to(panics))]));
}

async fn panics() -> HttpResponse {
    panic!("on purpose")
}

fn serve(health: &Health, configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) -> SocketAddr {
    let bound = server::bind(&config(), health.clone(), configure).expect("a free port");
    let address = bound.address();
    // It ends with the test's runtime.
    tokio::spawn(bound.run(std::future::pending()));
    address
}

/// A service on a port of its own, with its metrics.
fn start(metrics: &Metrics, health: &Health) -> SocketAddr {
    let (shown, watched) = (metrics.clone(), health.clone());
    serve(health, move |app| {
        shown.routes(&watched, app);
        shown.count_requests(app);
        routes(app);
    })
}

async fn request(address: SocketAddr, method: &str, path: &str) -> Answer {
    let method = method.parse().expect("a method");
    answer(client().request(method, format!("http://{address}{path}"))).await
}

/// The samples of a scrape whose names begin so, in the order of the text.
async fn scraped(address: SocketAddr, name: &str) -> Vec<String> {
    let text = request(address, "GET", "/metrics").await.body;
    text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

fn answered(route: &str, method: &str, status: u16, count: u64) -> String {
    format!(r#"latchkey_http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}"#)
}

#[tokio::test]
async fn a_scrape_is_prometheus_text_that_nobody_keeps() {
    let address = start(&Metrics::new("kit", "1"), &Health::new("kit"));
    let scrape = request(address, "GET", "/metrics").await;
    assert_eq!(scrape.status, 200);
    assert_eq!(scrape.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(scrape.header("cache-control"), Some("no-store"));
    request(address, "POST", "/metrics").await.assert_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn requests_are_counted_by_the_route_as_it_is_declared() {
    let address = start(&Metrics::new("kit", "1"), &Health::new("kit"));
    for (method, path) in [
        ("GET", "/items/10000000-0000-4000-8000-000000000001"),
        ("GET", "/items/7?token=x"),
        ("DELETE", "/items/7"),
        ("PUT", "/items/7"),
        ("GET", "/failing"),
        ("GET", "/nowhere"),
        ("POST", "/items"),
        ("GET", "/panic"),
        ("FROBNICATE", "/items/7"),
        ("MKCOL", "/nowhere"),
    ] {
        request(address, method, path).await;
    }
    let mut expected = [
        answered("/items/{id}", "GET", 204, 2),
        answered("/items/{id}", "DELETE", 204, 1),
        answered("/items/{id}", "PUT", 405, 1),
        answered("/items/{id}", "other", 405, 1),
        answered("/failing", "GET", 503, 1),
        answered("none", "GET", 404, 1),
        answered("none", "GET", 503, 1),
        answered("none", "POST", 404, 1),
        answered("none", "other", 404, 1),
    ];
    expected.sort_unstable();
    let mut counted = scraped(address, "latchkey_http_requests_total").await;
    counted.sort_unstable();
    assert_eq!(counted, expected);
    let times = scraped(address, "latchkey_http_request_duration_seconds_count").await;
    assert!(times.contains(
        &r#"latchkey_http_request_duration_seconds_count{class="2xx",method="GET",route="/items/{id}"} 2"#.to_owned()
    ));
}

#[tokio::test]
async fn what_is_in_flight_is_the_scrape_alone_when_all_else_is_answered() {
    let address = start(&Metrics::new("kit", "1"), &Health::new("kit"));
    request(address, "GET", "/panic").await;
    request(address, "GET", "/nowhere").await;
    assert_eq!(scraped(address, "latchkey_http_requests_in_flight").await, ["latchkey_http_requests_in_flight 1"]);
}

#[tokio::test]
async fn requests_that_come_through_another_port_are_counted_by_the_service_that_takes_them() {
    let (metrics, neighbour) = (Metrics::new("kit", "1"), Metrics::new("neighbour", "1"));
    let (own, others) = (start(&metrics, &Health::new("kit")), start(&neighbour, &Health::new("neighbour")));
    let mounted = serve(&Health::new("web"), move |app| {
        let (metrics, neighbour) = (metrics.clone(), neighbour.clone());
        app.service(web::scope("/api/kit").configure(move |app| {
            metrics.count_requests(app);
            routes(app);
        }))
        .service(web::scope("/api/neighbour").configure(move |app| {
            neighbour.count_requests(app);
            routes(app);
        }));
    });
    for path in ["/api/kit/items/7", "/api/neighbour/failing", "/api/kit/metrics", "/nowhere"] {
        request(mounted, "GET", path).await;
    }
    let own = scraped(own, "latchkey_http_requests_total").await;
    assert!(own.contains(&answered("/items/{id}", "GET", 204, 1)), "{own:?}");
    assert!(own.contains(&answered("none", "GET", 404, 1)) && own.len() == 2, "{own:?}");
    assert_eq!(scraped(others, "latchkey_http_requests_total").await, [answered("/failing", "GET", 503, 1)]);
}

#[tokio::test]
async fn each_scrape_tells_which_parts_work() {
    let switch = Arc::new(Switch::default());
    let health = Health::new("kit").with_check("database", switch.clone());
    let address = start(&Metrics::new("kit", "1"), &health);
    for (fails, value) in [(false, 1), (true, 0), (false, 1)] {
        switch.fails.store(fails, Ordering::SeqCst);
        let expected = format!(r#"latchkey_health_check_up{{check="database"}} {value}"#);
        assert_eq!(scraped(address, "latchkey_health_check_up").await, [expected]);
    }
}
