//! `GET /openapi.json` and `GET /docs` of both services: what is described is what is answered, and the page needs nobody else.

mod page;
mod schemathesis;
