import { Component, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Router, provideRouter } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';
import { signedInGuard, signedOutGuard } from './auth.guards';
import { runGuardsOnChange } from './guards-again';
import { Session } from './session';

@Component({ template: '' })
class Page {}

describe('runGuardsOnChange', () => {
  const isSignedIn = signal(true);
  let harness: RouterTestingHarness;

  beforeEach(() => {
    isSignedIn.set(true);
    const session = { isSignedIn, state: () => (isSignedIn() ? 'signed in' : 'signed out') };
    const guarded = { component: Page, runGuardsAndResolvers: 'always' } as const;
    TestBed.configureTestingModule({
      providers: [
        { provide: Session, useValue: session },
        provideRouter([
          { path: 'home', component: Page },
          { path: 'devices', ...guarded, canActivate: [signedInGuard] },
          { path: 'login', ...guarded, canActivate: [signedOutGuard] },
        ]),
      ],
    });
  });

  async function at(url: string): Promise<Router> {
    harness = await RouterTestingHarness.create();
    TestBed.runInInjectionContext(runGuardsOnChange);
    await harness.navigateByUrl(url);
    return TestBed.inject(Router);
  }
  async function change(now: boolean) {
    isSignedIn.set(now);
    TestBed.tick();
    await harness.fixture.whenStable();
  }

  it('sends to sign in from a guarded page, and back to it afterwards', async () => {
    const router = await at('/devices');
    await change(false);
    expect(router.url).toBe('/login?returnTo=%2Fdevices');
    await change(true);
    expect(router.url).toBe('/devices');
  });

  it('leaves a page that anyone may see', async () => {
    const router = await at('/home');
    await change(false);
    expect(router.url).toBe('/home');
  });

  it('goes over a navigation that was under way when the session changed', async () => {
    const router = await at('/home');
    const arrival = router.navigateByUrl('/devices');
    isSignedIn.set(false);
    await arrival;
    await change(false);
    expect(router.url).toBe('/login?returnTo=%2Fdevices');
  });
});
