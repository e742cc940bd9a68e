// Lets the guards decide anew when someone signs in or out, in this tab or another, or is signed out by the server.
// So no page has to send anyone anywhere.
import { effect, inject, untracked } from '@angular/core';
import { Router } from '@angular/router';
import { Session } from './session';

export function runGuardsOnChange(): void {
  const router = inject(Router);
  const session = inject(Session);
  let decidedFor = session.isSignedIn();
  effect(() => {
    const isSignedIn = session.isSignedIn();
    // A navigation under way may have asked the guards before the change: it is gone over once it has ended.
    const isUnderWay = router.currentNavigation() !== null;
    if (isUnderWay || !router.navigated || isSignedIn === decidedFor) return;
    decidedFor = isSignedIn;
    untracked(
      () => void router.navigateByUrl(router.url, { onSameUrlNavigation: 'reload', replaceUrl: true }),
    );
  });
}
