import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { Router, provideRouter } from '@angular/router';
import { Page } from '../../../testing/page';
import { Toasts } from '../../ui/toasts';
import { ChangePassword } from './change-password';

const url = '/api/auth/current-user/password';

describe('the page for a new password', () => {
  let server: HttpTestingController;
  let page: Page;

  beforeEach(async () => {
    localStorage.clear();
    TestBed.configureTestingModule({
      providers: [provideHttpClient(), provideHttpClientTesting(), provideRouter([])],
    });
    server = TestBed.inject(HttpTestingController);
    page = await Page.open(ChangePassword);
  });

  async function change(repeated = 'a new password') {
    page.type('Current password', 'the old one');
    page.type('New password', 'a new password');
    page.type('New password, once more', repeated);
    await page.press('Change password');
  }

  it('changes it, says so, and goes back to the profile', async () => {
    const navigate = vi.spyOn(TestBed.inject(Router), 'navigateByUrl').mockResolvedValue(true);
    await change();
    const request = server.expectOne({ method: 'PUT', url });
    expect(request.request.body).toEqual({ currentPassword: 'the old one', newPassword: 'a new password' });
    request.flush(null, { status: 204, statusText: 'No Content' });
    await page.settled();
    expect(TestBed.inject(Toasts).toasts()[0]?.text).toContain('Your password is changed');
    expect(navigate).toHaveBeenCalledWith('/profile');
  });

  it('does not send a new password that was not repeated alike', async () => {
    await change('a new pasword');
    expect(page.errorsOf('New password, once more')).toEqual(['The two are not the same.']);
    server.expectNone(url);
  });

  it('says at its field that the current password is wrong', async () => {
    await change();
    const body = { code: 'validation_failed', errors: { currentPassword: ['is wrong'] } };
    server.expectOne(url).flush(body, { status: 422, statusText: 'No' });
    await page.settled();
    expect(page.errorsOf('Current password')).toEqual(['Is wrong.']);
  });
});
