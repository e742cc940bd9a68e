import { Component, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Router, provideRouter } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';
import { turns } from '../../testing/session';
import { safeReturn, signedInGuard, signedOutGuard } from './auth.guards';
import { Session, SessionState } from './session';

@Component({ template: '' })
class Page {}

describe('the guards', () => {
  const state = signal<SessionState>('starting');

  beforeEach(() => {
    TestBed.configureTestingModule({
      providers: [
        { provide: Session, useValue: { state } },
        provideRouter([
          { path: 'profile', component: Page, canActivate: [signedInGuard] },
          { path: 'devices', component: Page, canActivate: [signedInGuard] },
          { path: 'login', component: Page, canActivate: [signedOutGuard] },
        ]),
      ],
    });
  });

  async function goTo(url: string, now: SessionState) {
    state.set(now);
    const harness = await RouterTestingHarness.create();
    await harness.navigateByUrl(url);
    return TestBed.inject(Router).url;
  }

  it.each(['signed in', 'unreachable'] as const)('let into a guarded page when %s', async (now) => {
    expect(await goTo('/devices', now)).toBe('/devices');
  });

  it('send the signed-out to sign in, with the way back', async () => {
    expect(await goTo('/devices?sort=name', 'signed out')).toBe('/login?returnTo=%2Fdevices%3Fsort%3Dname');
  });

  it('send the signed-in from the login page to where they were going', async () => {
    expect(await goTo('/login?returnTo=%2Fdevices', 'signed in')).toBe('/devices');
  });

  it('send the signed-in who have no way back to their profile', async () => {
    expect(await goTo('/login', 'unreachable')).toBe('/profile');
  });

  it('let the signed-out sign in', async () => {
    expect(await goTo('/login', 'signed out')).toBe('/login');
  });

  it('wait while the session is starting', async () => {
    state.set('starting');
    const harness = await RouterTestingHarness.create();
    const arrival = harness.navigateByUrl('/devices');
    await turns();
    expect(TestBed.inject(Router).url).toBe('/');
    state.set('signed in');
    TestBed.tick();
    await arrival;
    expect(TestBed.inject(Router).url).toBe('/devices');
  });
});

describe('safeReturn', () => {
  it.each(['/devices', '/profile?status=open', '/'])('goes back to a page of ours: %s', (path) => {
    expect(safeReturn(path)).toBe(path);
  });
  it.each([
    null,
    '',
    'https://elsewhere.test',
    '//elsewhere.test',
    '/\\elsewhere.test',
    'devices',
    '/login',
    '/register?x',
  ])('goes to the profile instead of %s', (path) => {
    expect(safeReturn(path)).toBe('/profile');
  });
});
