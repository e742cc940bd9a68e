//! One path with the methods it answers to; any other method gets 405 with the right `Allow`.

use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::{Resource, Route, web};

use super::Problem;
use crate::metrics::RoutePattern;

/// A resource at `path` with one route for each method; `GET` answers `HEAD` as well (RFC 9110 §9.1).
///
/// ```
/// use actix_web::http::Method;
/// use actix_web::web;
/// use service_kit::problem::resource;
///
/// async fn show() -> &'static str {
///     "here"
/// }
///
/// fn routes(config: &mut web::ServiceConfig) {
///     config.service(resource("/thing", [(Method::GET, web::to(show))]));
/// }
/// ```
pub fn resource<const N: usize>(path: &str, routes: [(Method, Route); N]) -> Resource {
    let allowed: Vec<Method> = routes.iter().flat_map(|(method, _)| methods(method)).collect();
    let resource = web::resource(path).app_data(RoutePattern(path.to_owned()));
    let resource =
        routes.into_iter().fold(resource, |resource, (method, route)| resource.route(route.guard(answers(&method))));
    resource.default_service(web::to(move || {
        let problem = Problem::method_not_allowed(&allowed);
        async move { problem }
    }))
}

fn methods(method: &Method) -> Vec<Method> {
    if method == Method::GET { vec![Method::GET, Method::HEAD] } else { vec![method.clone()] }
}

fn answers(method: &Method) -> impl Guard + 'static {
    let methods = methods(method);
    guard::fn_guard(move |context| methods.contains(&context.head().method))
}
