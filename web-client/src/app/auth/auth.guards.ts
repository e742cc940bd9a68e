// Who may see which page. Both wait until a stored session was confirmed, so that a reload of a guarded page stays there.
import { inject } from '@angular/core';
import { toObservable } from '@angular/core/rxjs-interop';
import { CanActivateFn, Router } from '@angular/router';
import { filter, map, take } from 'rxjs';
import { Session } from './session';

/** Sends the signed-out to sign in, and remembers where they wanted to go. */
export const signedInGuard: CanActivateFn = (_route, { url }) => {
  const router = inject(Router);
  return settled().pipe(
    map(
      (state) =>
        state !== 'signed out' || router.createUrlTree(['/login'], { queryParams: { returnTo: url } }),
    ),
  );
};

/** Sends the signed-in on to where they were going: there is nothing for them to do here. */
export const signedOutGuard: CanActivateFn = ({ queryParamMap }) => {
  const router = inject(Router);
  return settled().pipe(
    map((state) => state === 'signed out' || router.parseUrl(safeReturn(queryParamMap.get('returnTo')))),
  );
};

/** A path of this application, whatever the address bar says; signing in must not be a way to be led elsewhere. */
export function safeReturn(returnTo: string | null): string {
  const isPath = returnTo !== null && /^\/(?![/\\])/.test(returnTo);
  return isPath && !/^\/(login|register)\b/.test(returnTo) ? returnTo : '/profile';
}

function settled() {
  return toObservable(inject(Session).state).pipe(
    filter((state) => state !== 'starting'),
    take(1),
  );
}
