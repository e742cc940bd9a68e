import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { turns } from '../../testing/session';
import { Device } from '../api/models';
import { Session, SessionState } from '../auth/session';
import { Toasts } from '../ui/toasts';
import { DeviceList } from './device-list';

const device = (id: string, current = false): Device => ({
  id,
  deviceName: `Device ${id}`,
  ipAddress: '192.0.2.1',
  createdAt: '2026-11-23T12:00:00Z',
  lastUsedAt: '2026-11-23T12:00:00Z',
  expiresAt: '2026-12-23T12:00:00Z',
  current,
});

describe('DeviceList', () => {
  let server: HttpTestingController;
  let list: DeviceList;
  const state = signal<SessionState>('signed in');

  beforeEach(() => {
    state.set('signed in');
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        DeviceList,
        { provide: Session, useValue: { id: signal('session-1'), state } },
      ],
    });
    server = TestBed.inject(HttpTestingController);
    list = TestBed.inject(DeviceList);
    TestBed.tick();
  });
  afterEach(() => server.verify());

  async function settled() {
    await turns();
    TestBed.tick();
    await turns();
  }
  async function loaded() {
    server.expectOne('/api/auth/sessions').flush([device('1'), device('2', true), device('3')], {
      headers: { Date: 'Mon, 23 Nov 2026 12:00:00 GMT' },
    });
    await settled();
  }
  const others = () => list.others().map(({ id }) => id);
  const toasts = () => TestBed.inject(Toasts).toasts();

  it('tells this device from the others, and counts from the server’s clock', async () => {
    expect(list.source.isFirstTry()).toBe(true);
    await loaded();
    expect(list.here()?.id).toBe('2');
    expect(others()).toEqual(['1', '3']);
    expect(list.asOf()).toBe(Date.UTC(2026, 10, 23, 12));
  });

  it('says what is wrong when it cannot be loaded, and loads when the server is back', async () => {
    state.set('unreachable');
    server.expectOne('/api/auth/sessions').error(new ProgressEvent('error'));
    await settled();
    expect(list.source.problem()?.status).toBe(0);
    state.set('signed in');
    TestBed.tick();
    await loaded();
    expect(list.source.problem()).toBeUndefined();
  });

  it('is read again when someone comes back to the page', async () => {
    await loaded();
    document.dispatchEvent(new Event('visibilitychange'));
    TestBed.tick();
    server.expectOne('/api/auth/sessions').flush([device('2', true)]);
    await settled();
    expect(others()).toEqual([]);
  });

  it('hides a device at once when it is ended', async () => {
    await loaded();
    const ending = list.end(device('1'));
    expect(others()).toEqual(['3']);
    server
      .expectOne({ method: 'DELETE', url: '/api/auth/sessions/1' })
      .flush(null, { status: 204, statusText: '' });
    await ending;
    expect(others()).toEqual(['3']);
  });

  it('hides all others at once when they are ended', async () => {
    await loaded();
    const ending = list.endOthers();
    expect(others()).toEqual([]);
    expect(list.here()?.id).toBe('2');
    server
      .expectOne({ method: 'DELETE', url: '/api/auth/sessions?others=true' })
      .flush(null, { status: 204, statusText: '' });
    await ending;
  });

  it('shows them again, and says so, when that fails', async () => {
    await loaded();
    const ending = list.endOthers();
    server.expectOne('/api/auth/sessions?others=true').flush(null, { status: 503, statusText: 'Busy' });
    await ending;
    expect(others()).toEqual(['1', '3']);
    expect(toasts()[0]?.text).toBe('Not signed out there. The server is busy. Try again in a moment.');
  });

  it('takes a session that is gone already for ended', async () => {
    await loaded();
    const ending = list.end(device('1'));
    server.expectOne('/api/auth/sessions/1').flush({ code: 'not_found' }, { status: 404, statusText: 'No' });
    await ending;
    expect(others()).toEqual(['3']);
    expect(toasts()).toEqual([]);
  });
});
