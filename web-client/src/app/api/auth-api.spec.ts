import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { Observable, firstValueFrom } from 'rxjs';
import { AuthApi, DeviceList } from './auth-api';

describe('AuthApi', () => {
  let server: HttpTestingController;
  let api: AuthApi;

  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
    api = TestBed.inject(AuthApi);
  });

  /** The one request that a call makes, in a line. */
  function sent(call: Observable<unknown>): string {
    call.subscribe();
    const { request } = server.expectOne(() => true);
    return [request.method, request.urlWithParams, JSON.stringify(request.body)].join(' ');
  }

  it('calls what the service offers', () => {
    expect(sent(api.login('ada', 'pw'))).toBe('POST /api/auth/login {"username":"ada","password":"pw"}');
    expect(sent(api.logout('r'))).toBe('POST /api/auth/logout {"refreshToken":"r"}');
    expect(sent(api.currentUser())).toBe('GET /api/auth/current-user null');
    expect(sent(api.register('ada', 'a@b.test', 'pw'))).toBe(
      'POST /api/auth/register {"username":"ada","email":"a@b.test","password":"pw"}',
    );
    expect(sent(api.changePassword('old', 'new'))).toBe(
      'PUT /api/auth/current-user/password {"currentPassword":"old","newPassword":"new"}',
    );
    expect(sent(api.endDevice('a/b'))).toBe('DELETE /api/auth/sessions/a%2Fb null');
    expect(sent(api.endOtherDevices())).toBe('DELETE /api/auth/sessions?others=true null');
  });

  it('sends the idempotency key with a refresh, and no fingerprint', () => {
    api.refresh('r', 'k').subscribe();
    const { request } = server.expectOne('/api/auth/refresh-token');
    expect(request.headers.get('Idempotency-Key')).toBe('k');
    expect(request.body).toEqual({ refreshToken: 'r' });
  });

  async function devices(headers: Record<string, string>): Promise<DeviceList> {
    const answer = firstValueFrom(api.devices());
    server.expectOne('/api/auth/sessions').flush([{ id: '1' }], { headers });
    return answer;
  }

  it('tells when the list of devices was made, by the server’s clock', async () => {
    const { asOf } = await devices({ Date: 'Mon, 23 Nov 2026 12:00:00 GMT' });
    expect(asOf).toBe(Date.UTC(2026, 10, 23, 12));
  });

  it('does without where the server does not say', async () => {
    expect(await devices({})).toEqual({ devices: [{ id: '1' }], asOf: undefined });
  });
});
