//! `GET /openapi.json`, and `GET /docs`: a page to read it and to try it. The page loads nothing from elsewhere: Swagger UI is in the
//! program.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use actix_web::web::{self, Bytes, Html, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::problem::{PathParams, Problem, resource};

/// Our own files and nothing else: no inline script or style. Swagger UI has pictures in its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Asked for again each time, so that a newer version is seen at once.
const REVALIDATE: &str = "no-cache";
/// Of the size of a photograph, and new only with a new version.
const AN_HOUR: &str = "max-age=3600";

/// The document of one service, ready to be sent. Cloning it gives the same one again.
#[derive(Clone)]
pub struct Docs(Bytes);

impl Docs {
    /// Serves this document.
    pub fn new(document: &OpenApi) -> Self {
        Self(document.to_json().expect("a document has text keys only").into())
    }

    /// `GET /openapi.json`, `GET /docs` and the files of the page, at the root of an application or within a scope.
    pub fn routes(&self, app: &mut ServiceConfig) {
        let document = self.0.clone();
        let show = move || {
            let document = document.clone();
            async move {
                HttpResponse::Ok()
                    .content_type("application/json")
                    .insert_header((CACHE_CONTROL, REVALIDATE))
                    .body(document)
            }
        };
        app.service(resource("/openapi.json", [(Method::GET, web::to(show))]))
            .service(resource("/docs", [(Method::GET, web::to(page))]))
            .service(resource("/docs/{file}", [(Method::GET, web::to(file))]));
    }
}

async fn page() -> impl Responder {
    Html::new(include_str!("page.html"))
        .customize()
        .insert_header((CACHE_CONTROL, REVALIDATE))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
}

async fn file(PathParams(name): PathParams<String>) -> Result<HttpResponse, Problem> {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, AN_HOUR));
    match name.as_str() {
        "start.js" => Ok(response.content_type("text/javascript").body(include_str!("start.js"))),
        "swagger-ui.css" | "swagger-ui-bundle.js" => {
            let file = utoipa_swagger_ui::serve(&name, Arc::new(Config::default())).ok().flatten();
            let file = file.ok_or_else(Problem::not_found)?;
            if file.gzpipped {
                response.insert_header((CONTENT_ENCODING, "gzip"));
            }
            Ok(response.content_type(file.content_type).body(file.bytes.into_owned()))
        }
        _ => Err(Problem::not_found()),
    }
}
