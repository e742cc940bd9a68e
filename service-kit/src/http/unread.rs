//! Ends connections whose caller still sends a body that nobody reads.
//!
//! The HTTP library does that by itself where the body has a length. One that comes in chunks, once dropped, it reads on for as long as
//! there is more, to save the connection. Where the body is still held when the
//! response has been sent, it closes the connection.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

/// The body of a request, held beside whoever reads it.
#[derive(Clone)]
pub(crate) struct HeldBody(Rc<RefCell<Payload>>);

impl HeldBody {
    /// Holds the request's body if it comes in chunks.
    pub(crate) fn of(request: &mut ServiceRequest) -> Option<Self> {
        if !request.chunked().unwrap_or(false) {
            return None;
        }
        let held = Self(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream { payload: Box::pin(held.clone()) });
        Some(held)
    }

    /// Keeps holding it until the answer is sent.
    pub(crate) fn until_sent(self, answer: BoxBody) -> BoxBody {
        BoxBody::new(Answer { answer, _request: self })
    }
}

/// The body of a response that holds the request's.
struct Answer {
    answer: BoxBody,
    _request: HeldBody,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(context)
    }
}

impl Stream for HeldBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}
