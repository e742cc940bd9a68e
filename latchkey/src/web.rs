//! Port 8080: the web client, with both services under `/api`, so that a browser needs one origin and no CORS.

use std::path::{Path, PathBuf};

use actix_files::{Files, NamedFile};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse, fn_service};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Html, ServiceConfig};
use actix_web::{Error, Responder};
use serde::Serialize;
use service_kit::problem::Problem;

/// Our own files and nothing else: no inline script or style, and no string that becomes a script (Content Security Policy
/// Level 3, Trusted Types).
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
     base-uri 'self'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types angular",
);

/// The plain page has its few styles in itself.
const PLAIN_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Characters of the hash in the name of a built file.
const HASH_LENGTH: usize = 8;

/// Both services and the files around them.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) auth: auth_service::Service,
    pub(crate) jobs: jobs_service::Service,
    pub(crate) web_dir: PathBuf,
    pub(crate) offers: Offers,
}

/// What the web client may offer to somebody who is not signed in: `/config.json`.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Offers {
    /// Whether anybody may make an account.
    pub(crate) registration: bool,
    /// Whether there are demo users, whose passwords are public.
    pub(crate) demo: bool,
}

impl Site {
    pub(crate) fn configure(&self, app: &mut ServiceConfig) {
        let (auth, jobs) = (self.auth.clone(), self.jobs.clone());
        app.service(web::scope("/api/auth").configure(move |scope| auth.configure(scope)).default_service(not_found()))
            .service(web::scope("/api/jobs").configure(move |scope| jobs.configure(scope)).default_service(not_found()))
            .service(web::scope("/api").default_service(not_found()));
        let pages = web::scope("").wrap(from_fn(page_headers));
        if self.has_web_client() {
            let offers = self.offers;
            let tell = move || std::future::ready(web::Json(offers));
            app.service(pages.route("/config.json", web::get().to(tell)).service(files(&self.web_dir)));
        } else {
            app.service(pages.route("/", web::get().to(plain_page)).default_service(not_found()));
        }
    }

    pub(crate) fn has_web_client(&self) -> bool {
        self.web_dir.join("index.html").is_file()
    }
}

fn not_found() -> actix_web::Route {
    web::to(|| async { Problem::not_found() })
}

async fn plain_page() -> impl Responder {
    Html::new(include_str!("plain_page.html")).customize().insert_header((CONTENT_SECURITY_POLICY, PLAIN_POLICY))
}

/// A path without a file is a page of the client's own, which its router finds; a missing script or image is missing.
fn files(directory: &Path) -> Files {
    let index = directory.join("index.html");
    Files::new("/", directory).index_file("index.html").default_handler(fn_service(move |request: ServiceRequest| {
        let index = index.clone();
        async move {
            let (request, _) = request.into_parts();
            let names_a_file = Path::new(request.path()).extension().is_some();
            let response = if names_a_file {
                Problem::not_found().respond_to(&request).map_into_boxed_body()
            } else {
                NamedFile::open(index)?.into_response(&request)
            };
            Ok(ServiceResponse::new(request, response))
        }
    }))
}

/// Files whose name holds a hash of their content never change; everything else is asked for again each time.
async fn page_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_immutable = has_content_hash(request.path());
    let mut response = next.call(request).await?;
    let is_found = response.status().is_success() || response.status() == actix_web::http::StatusCode::NOT_MODIFIED;
    let caching = if is_immutable && is_found { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
    Ok(response)
}

/// Whether a path names a file as the client's build writes them: `main-BYPSAVLG.js`, `media/logo-aB3dE6gH.svg`.
fn has_content_hash(path: &str) -> bool {
    let Some((stem, _)) = path.rsplit_once('.') else { return false };
    let Some((name, hash)) = stem.len().checked_sub(HASH_LENGTH).and_then(|start| stem.split_at_checked(start)) else {
        return false;
    };
    let is_hash_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    // A plain word, as in `icon-settings.svg`, is no hash.
    let is_word = hash.bytes().all(|byte| byte.is_ascii_lowercase());
    name.ends_with('-') && hash.bytes().all(is_hash_byte) && !is_word
}

#[cfg(test)]
mod tests {
    use super::has_content_hash;

    #[test]
    fn only_names_with_a_content_hash_are_cached_for_ever() {
        for path in ["/main-BYPSAVLG.js", "/chunk-cqeZv-do.js", "/media/logo-aB3dE6gH.svg"] {
            assert!(has_content_hash(path), "{path}");
        }
        for path in
            ["/", "/index.html", "/main.js", "/icon-settings.svg", "/long-A1B2C3D4E5.js", "/x-A1B2C3D4", "/ü-é.js"]
        {
            assert!(!has_content_hash(path), "{path}");
        }
    }
}
