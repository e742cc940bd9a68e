//! The description of a service's calls (OpenAPI 3.1) and the page that shows it. What each call takes and answers is written beside its
//! handler; what all calls have in common is added here. Errors are described by the very problems that are answered.

mod page;
mod problems;

use utoipa::Modify;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{AdditionalProperties, Array, Object, ObjectBuilder, Type};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Required, Response, Schema};

pub use page::Docs;
pub use problems::{described, status_of};

use crate::problem::Problem;

/// What holds for every call of every service. To be among the document's modifiers.
pub struct EveryCall;

impl Modify for EveryCall {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.schemas.insert("Problem".to_owned(), problem_schema().into());
        components.headers.extend(headers().map(|(name, header)| (name.to_owned(), header.into())));
        components.parameters.insert("X-Request-Id".to_owned(), request_id().into());
        add_responses(components);
        components.responses.values_mut().for_each(add_headers);
        document.paths.paths.values_mut().flat_map(operations).for_each(complete);
    }
}

/// The answers that no handler gives: the readers of requests and the server itself do.
fn add_responses(components: &mut Components) {
    let answers = [
        ("BadRequest", "The request cannot be read.", Problem::bad_request("The body is not a JSON object.")),
        ("MethodNotAllowed", "Another method of this path.", Problem::method_not_allowed(&[])),
        (
            "RequestTimeout",
            "The head took longer than 5 s to arrive, or the body longer than 10 s.",
            Problem::request_timeout(),
        ),
        ("PayloadTooLarge", "The body has more than 16 KiB.", Problem::payload_too_large()),
        ("HeadersTooLarge", "More than 96 headers, or 128 KiB of them.", Problem::headers_too_large()),
        ("UnsupportedMediaType", "The body is no JSON.", Problem::unsupported_media_type()),
        (
            "Unavailable",
            "A part is down, or there is too much to do. Nobody is signed out by it.",
            Problem::unavailable(2),
        ),
    ];
    for (name, description, problem) in answers {
        components.responses.insert(name.to_owned(), described(description, [problem]).into());
    }
}

fn complete(operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    let takes_query = parameters.iter().any(is_in_query);
    parameters.push(RefOr::Ref(Ref::new("#/components/parameters/X-Request-Id")));
    let mut answers = vec![(405, "MethodNotAllowed"), (431, "HeadersTooLarge"), (503, "Unavailable")];
    if operation.request_body.is_some() {
        answers.extend([(408, "RequestTimeout"), (413, "PayloadTooLarge"), (415, "UnsupportedMediaType")]);
    }
    if operation.request_body.is_some() || takes_query {
        answers.push((400, "BadRequest"));
    }
    let responses = &mut operation.responses.responses;
    responses.values_mut().for_each(add_headers);
    for (status, name) in answers {
        responses.entry(status.to_string()).or_insert_with(|| Ref::from_response_name(name).into());
    }
}

fn is_in_query(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
}

fn add_headers(response: &mut RefOr<Response>) {
    let RefOr::T(response) = response else { return };
    for (name, _) in headers() {
        let reference = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert(name.to_owned(), RefOr::Ref(reference));
    }
}

/// The headers of every answer.
fn headers() -> [(&'static str, Header); 3] {
    let header = |description: &str, schema: ObjectBuilder| {
        HeaderBuilder::new().description(Some(description)).schema(Some(schema)).build()
    };
    let constant = |value: &str| text().enum_values(Some([value]));
    [
        (
            "X-Request-Id",
            header(
                "The request's own if it sent one that can be used, or else a new one.",
                text().pattern(Some("^[A-Za-z0-9._-]{1,64}$")),
            ),
        ),
        ("X-Content-Type-Options", header("Nothing is to be guessed from the content.", constant("nosniff"))),
        ("Cache-Control", header("What is answered is for the caller alone.", constant("no-store"))),
    ]
}

fn request_id() -> Parameter {
    let description = "Ties the answer, the lines of the log and a report together; what is not 1 to 64 of `A-Z a-z 0-9 . _ -` is replaced by a new id.";
    ParameterBuilder::new()
        .name("X-Request-Id")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(text()))
        .build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// An error by RFC 9457.
fn problem_schema() -> Schema {
    let messages = Array::new(Object::with_type(Type::String));
    let errors = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("What is wrong with each field, for a person."))
        .additional_properties(Some(AdditionalProperties::RefOr(Schema::Array(messages).into())));
    let status = ObjectBuilder::new().schema_type(Type::Integer).description(Some("The status of the answer."));
    let text = |description: &str| text().description(Some(description));
    let problem = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("An error (RFC 9457)."))
        .property("type", text("`urn:latchkey:problem:CODE`").pattern(Some("^urn:latchkey:problem:[a-z_]+$")))
        .property("title", text("What kind of error it is, for a person."))
        .property("status", status)
        .property("detail", text("What went wrong this time, for a person."))
        .property("code", text("The stable word to switch on."))
        .property("errors", errors);
    ["type", "title", "status", "detail", "code"].into_iter().fold(problem, ObjectBuilder::required).build().into()
}
