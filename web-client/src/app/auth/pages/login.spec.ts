import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';
import { Page } from '../../../testing/page';
import { ada, pair, store, stored } from '../../../testing/session';
import { Toasts } from '../../ui/toasts';
import { Login } from './login';

describe('the login page', () => {
  let server: HttpTestingController;
  let page: Page;

  beforeEach(() => {
    localStorage.clear();
    TestBed.configureTestingModule({
      providers: [provideHttpClient(), provideHttpClientTesting(), provideRouter([])],
    });
    server = TestBed.inject(HttpTestingController);
  });
  afterEach(() => vi.useRealTimers());

  async function open(config = {}) {
    page = await Page.open(Login);
    server.expectOne('/config.json').flush(config);
    await page.settled();
  }
  async function signIn() {
    page.type('Username or e-mail', ' ada ');
    page.type('Password', 'latchkey-demo-ada');
    await page.press('Sign in');
    return server.expectOne('/api/auth/login');
  }

  it('signs in with the name as it was meant and the password as it was typed', async () => {
    await open();
    page.type('Username or e-mail', ' ada ');
    page.type('Password', ' latchkey ');
    await page.press('Sign in');
    const request = server.expectOne('/api/auth/login');
    expect(request.request.body).toEqual({ username: 'ada', password: ' latchkey ' });
    request.flush({ ...pair(1), user: ada, endedSessions: [] });
    await page.settled();
    expect(stored()).toMatchObject({ refreshToken: 'refresh-1' });
  });

  it('says at each field what is missing, and goes to the first', async () => {
    await open();
    await page.press('Sign in');
    expect(page.errorsOf('Username or e-mail')).toEqual(['Enter your username or e-mail address.']);
    expect(page.errorsOf('Password')).toEqual(['Enter your password.']);
    expect(document.activeElement).toBe(page.field('Username or e-mail'));
    server.expectNone('/api/auth/login');
  });

  it('does not say which of the two is wrong', async () => {
    await open();
    const request = await signIn();
    request.flush({ code: 'invalid_credentials' }, { status: 401, statusText: 'No' });
    await page.settled();
    expect(page.text).toContain('That name and password do not go together.');
    expect(page.errorsOf('Password')).toEqual([]);
    expect(document.activeElement).toBe(page.field('Password'));
  });

  it('shows what the server has to say at its field', async () => {
    await open();
    const request = await signIn();
    const body = { code: 'validation_failed', errors: { password: ['is too long'] } };
    request.flush(body, { status: 422, statusText: 'No' });
    await page.settled();
    expect(page.errorsOf('Password')).toEqual(['Is too long.']);
  });

  it('counts down the seconds to wait after too many attempts, and lets nobody try before', async () => {
    await open();
    vi.useFakeTimers();
    const request = await signIn();
    request.flush(
      { code: 'rate_limited' },
      { status: 429, statusText: 'No', headers: { 'Retry-After': '42' } },
    );
    await page.settled();
    expect(page.text).toContain('Try again in 42 s.');
    expect(page.button('Wait 42 s').disabled).toBe(true);
    await vi.advanceTimersByTimeAsync(41_000);
    await page.settled();
    expect(page.button('Wait 1 s').disabled).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    await page.settled();
    expect(page.button('Sign in').disabled).toBe(false);
    expect(page.text).not.toContain('Too many attempts');
  });

  it('says that the server cannot be reached', async () => {
    await open();
    (await signIn()).error(new ProgressEvent('error'));
    await page.settled();
    expect(page.text).toContain('The server cannot be reached.');
  });

  it('can be tried again as it is when the server is back', async () => {
    await open();
    (await signIn()).error(new ProgressEvent('error'));
    await page.settled();
    await page.press('Sign in');
    server.expectOne('/api/auth/login').flush({ ...pair(1), user: ada, endedSessions: [] });
    await page.settled();
    expect(stored()).toMatchObject({ refreshToken: 'refresh-1' });
    expect(page.text).not.toContain('The server cannot be reached.');
  });

  it('says why someone was signed out', async () => {
    store({ endedBecause: 'password_changed' });
    await open();
    expect(page.text).toContain('You were signed out because your password was changed.');
  });

  it('names the devices that had to be signed out', async () => {
    await open();
    const endedSessions = [
      { id: '1', deviceName: 'Phone' },
      { id: '2', deviceName: null },
    ];
    (await signIn()).flush({ ...pair(1), user: ada, endedSessions });
    await page.settled();
    expect(TestBed.inject(Toasts).toasts()[0]?.text).toContain('Phone and an unknown device.');
  });

  it('names the demo users and offers an account where the installation has them', async () => {
    await open({ demo: true, registration: true });
    expect(page.text).toContain('latchkey-demo-NAME');
    expect(page.text).toContain('Create an account');
  });

  it('names and offers neither elsewhere', async () => {
    await open();
    expect(page.text).not.toContain('latchkey-demo-NAME');
    expect(page.text).not.toContain('Create an account');
  });

  it('shows the password to whoever asks for it', async () => {
    await open();
    const field = () => page.field('Password') as HTMLInputElement;
    expect(field().type).toBe('password');
    await page.press('Show password');
    expect(field().type).toBe('text');
  });
});
