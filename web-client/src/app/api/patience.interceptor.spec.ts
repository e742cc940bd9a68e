import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { Observable } from 'rxjs';
import { appConfig } from '../app.config';
import { AuthApi } from './auth-api';
import { JobsApi } from './jobs-api';

const draft = { title: 'Oil', description: '', status: 'open' } as const;

describe('patienceInterceptor', () => {
  it.each<[string, (auth: AuthApi, jobs: JobsApi) => Observable<unknown>]>([
    ['signing in', (auth) => auth.login('ada', 'pw')],
    ['refreshing', (auth) => auth.refresh('r', 'k')],
    ['signing out', (auth) => auth.logout('r')],
    ['a new account', (auth) => auth.register('ada', 'a@b.test', 'pw')],
    ['the user', (auth) => auth.currentUser()],
    ['a new password', (auth) => auth.changePassword('old', 'new')],
    ['the devices', (auth) => auth.devices()],
    ['ending a device', (auth) => auth.endDevice('1')],
    ['ending all others', (auth) => auth.endOtherDevices()],
    ['the jobs', (_, jobs) => jobs.list()],
    ['a new job', (_, jobs) => jobs.add(draft)],
    ['a changed job', (_, jobs) => jobs.edit('1', draft)],
    ['a removed job', (_, jobs) => jobs.remove('1')],
  ])('gives up on %s after ten seconds', (_, call) => {
    TestBed.configureTestingModule({ providers: [...appConfig.providers, provideHttpClientTesting()] });
    call(TestBed.inject(AuthApi), TestBed.inject(JobsApi)).subscribe();
    const { request } = TestBed.inject(HttpTestingController).expectOne(() => true);
    expect(request.timeout).toBe(10_000);
  });
});
