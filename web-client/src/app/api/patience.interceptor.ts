// Gives up on a call that takes too long, whichever it is: what waits for it, on the page or in a queue, goes on.
import { HttpInterceptorFn } from '@angular/common/http';

/** In milliseconds. The services answer within two seconds, or say 503. */
const patience = 10_000;

export const patienceInterceptor: HttpInterceptorFn = (request, next) =>
  next(request.clone({ timeout: patience }));
