// Sends the access token with calls to our own services, and when it is refused gets another and repeats the call, once.
// Which calls those are is in api/services.ts; how a token is renewed is the refresher's.
import { HttpErrorResponse, HttpHandlerFn, HttpInterceptorFn, HttpRequest } from '@angular/common/http';
import { inject } from '@angular/core';
import { catchError, from, switchMap, throwError } from 'rxjs';
import { toProblem } from '../api/problem';
import { carriesAccessToken } from '../api/services';
import { Connection } from './connection';
import { Refresher } from './refresher';
import { isLive } from './stored-session';
import { TokenStorage } from './token-storage';

/** A request sent without a token says `access_token_missing`; refreshing would not change that. */
const curedByRefresh = ['access_token_invalid', 'access_token_expired', 'access_token_revoked'];

export const authInterceptor: HttpInterceptorFn = (request, next) => {
  if (!carriesAccessToken(request.url)) return next(request);
  const refresher = inject(Refresher);
  const connection = inject(Connection);
  const record = inject(TokenStorage).read();
  if (!isLive(record)) return next(request);

  return send(request, next, record.accessToken).pipe(
    catchError((error: unknown) => {
      if (!isCurable(error)) return throwError(() => error);
      return from(refresher.renew(record.accessToken)).pipe(
        switchMap((renewal) => {
          if (renewal === 'unreachable') return throwError(() => unreachable(request));
          // What one user asked for is not repeated in the name of another who signed in meanwhile.
          if (renewal === 'signed out' || renewal.sessionId !== record.sessionId)
            return throwError(() => error);
          return send(request, next, renewal.accessToken);
        }),
      );
    }),
    catchError((error: unknown) => {
      // An answer that makes no sense came from somewhere all the same: another attempt would bring the same.
      const isUnanswered = error instanceof HttpErrorResponse && error.status === 0;
      if (isUnanswered && !connection.isTroubled()) connection.failed(toProblem(error));
      return throwError(() => error);
    }),
  );
};

function send(request: HttpRequest<unknown>, next: HttpHandlerFn, accessToken: string) {
  return next(request.clone({ setHeaders: { Authorization: `Bearer ${accessToken}` } }));
}

function isCurable(error: unknown): boolean {
  const { status, code } = toProblem(error);
  return status === 401 && curedByRefresh.some((cured) => cured === code);
}

/** The 401 is not the caller's to see: the user is still signed in, the server is only out of reach for now. */
function unreachable(request: HttpRequest<unknown>): HttpErrorResponse {
  return new HttpErrorResponse({ url: request.url, status: 0, statusText: 'The server cannot be reached' });
}
