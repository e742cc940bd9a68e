import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { Router, provideRouter } from '@angular/router';
import { Page } from '../../../testing/page';
import { ada, pair, stored } from '../../../testing/session';
import { Toasts } from '../../ui/toasts';
import { Register } from './register';

describe('the page for new accounts', () => {
  let server: HttpTestingController;
  let page: Page;

  beforeEach(async () => {
    localStorage.clear();
    TestBed.configureTestingModule({
      providers: [provideHttpClient(), provideHttpClientTesting(), provideRouter([])],
    });
    server = TestBed.inject(HttpTestingController);
    page = await Page.open(Register);
  });

  async function register() {
    page.type('Username', 'ada');
    page.type('E-mail', 'ada@example.test');
    page.type('Password', 'a long password');
    await page.press('Create account');
    return server.expectOne('/api/auth/register');
  }
  const refuse = async (status: number, body: object) => {
    (await register()).flush(body, { status, statusText: 'No' });
    await page.settled();
  };

  it('makes the account and signs in with it', async () => {
    const request = await register();
    expect(request.request.body).toEqual({
      username: 'ada',
      email: 'ada@example.test',
      password: 'a long password',
    });
    request.flush(ada, { status: 201, statusText: 'Created' });
    await page.settled();
    server.expectOne('/api/auth/login').flush({ ...pair(1), user: ada, endedSessions: [] });
    await page.settled();
    expect(stored()).toMatchObject({ refreshToken: 'refresh-1' });
  });

  it('says at each field what would be refused, before asking the server', async () => {
    page.type('Username', 'a@b');
    page.type('E-mail', 'nowhere');
    page.type('Password', 'short');
    await page.press('Create account');
    expect(page.errorsOf('Username')).toEqual(['Use 3 to 32 letters, digits, dots, hyphens or underscores.']);
    expect(page.errorsOf('E-mail')).toEqual(['That is not an e-mail address.']);
    expect(page.errorsOf('Password')).toEqual(['Use at least 8 characters.']);
    server.expectNone('/api/auth/register');
  });

  it('says at its field what the server refuses', async () => {
    await refuse(422, { code: 'validation_failed', errors: { password: ['is one of the common ones'] } });
    expect(page.errorsOf('Password')).toEqual(['Is one of the common ones.']);
  });

  it('leads to the login page where the account was made but could not be signed in to', async () => {
    const navigate = vi.spyOn(TestBed.inject(Router), 'navigate').mockResolvedValue(true);
    (await register()).flush(ada, { status: 201, statusText: 'Created' });
    await page.settled();
    server.expectOne('/api/auth/login').error(new ProgressEvent('error'));
    await page.settled();
    expect(navigate).toHaveBeenCalledWith(['/login'], { queryParamsHandling: 'preserve' });
    expect(TestBed.inject(Toasts).toasts()[0]?.text).toContain('Your account is made.');
  });

  it('says what is taken', async () => {
    await refuse(409, { code: 'conflict', detail: 'that username is taken' });
    expect(page.text).toContain('That username is taken.');
  });

  it('says so where visitors cannot make accounts', async () => {
    await refuse(403, { code: 'registration_disabled' });
    expect(page.text).toContain('Accounts cannot be made here by visitors.');
  });
});
