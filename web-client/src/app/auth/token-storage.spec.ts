import { TestBed } from '@angular/core/testing';
import { generation, store, stored } from '../../testing/session';
import { TokenStorage } from './token-storage';

describe('TokenStorage', () => {
  beforeEach(() => localStorage.clear());
  afterEach(() => vi.restoreAllMocks());

  const storage = () => TestBed.inject(TokenStorage);
  const denied = () => {
    throw new DOMException('denied', 'SecurityError');
  };

  it('keeps a session as one value in local storage', () => {
    storage().write(generation(1));
    expect(stored()).toEqual(generation(1));
    expect(localStorage.length).toBe(1);
  });

  it('reads what another tab has written, even before it is told', () => {
    storage().write(generation(1));
    store(generation(2));
    expect(storage().read()).toEqual(generation(2));
    expect(storage().current()).toEqual(generation(2));
  });

  it('follows another tab that signs in, renews or signs out', () => {
    expect(storage().current()).toEqual({});
    store(generation(1), { announce: true });
    expect(storage().current()).toEqual(generation(1));
    store({ endedBecause: 'admin' }, { announce: true });
    expect(storage().current()).toEqual({ endedBecause: 'admin' });
  });

  it('follows a user who clears the browser’s storage', () => {
    storage().write(generation(1));
    localStorage.clear();
    dispatchEvent(new StorageEvent('storage', { key: null }));
    expect(storage().current()).toEqual({});
  });

  it('catches up when a page comes back that was not told of changes', () => {
    storage().write(generation(1));
    store(generation(2));
    dispatchEvent(new Event('pageshow'));
    expect(storage().current()).toEqual(generation(2));
  });

  it('reads a corrupt value as signed out', () => {
    localStorage.setItem('latchkey.session', '{"refreshToken":');
    expect(storage().read()).toEqual({});
  });

  it('holds a session in memory where local storage is denied', () => {
    vi.spyOn(Storage.prototype, 'getItem').mockImplementation(denied);
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(denied);
    vi.spyOn(Storage.prototype, 'removeItem').mockImplementation(denied);
    storage().write(generation(1));
    expect(storage().read()).toEqual(generation(1));
    storage().write({ endedBecause: 'signed_out' });
    expect(storage().read()).toEqual({ endedBecause: 'signed_out' });
  });

  it('leaves no spent token behind when a newer one does not fit', () => {
    storage().write(generation(1));
    const full = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    storage().write(generation(2));
    expect(localStorage.getItem('latchkey.session')).toBeNull();
    expect(storage().read()).toEqual(generation(2));

    full.mockRestore();
    storage().write(generation(3));
    expect(stored()).toEqual(generation(3));
    expect(storage().read()).toEqual(generation(3));
  });

  it('keeps orders to sign out beside the session and apart from each other', () => {
    storage().write(generation(1));
    storage().addSignOutOrder('session-8', 'refresh-8');
    storage().addSignOutOrder('session-9', 'refresh-9');
    storage().dropSignOutOrder('session-8');
    expect([...storage().signOutOrders()]).toEqual([['session-9', 'refresh-9']]);
    expect(storage().read()).toEqual(generation(1));
  });

  it('keeps orders in memory where local storage is denied', () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(denied);
    storage().addSignOutOrder('session-8', 'refresh-8');
    expect([...storage().signOutOrders()]).toEqual([['session-8', 'refresh-8']]);
    storage().dropSignOutOrder('session-8');
    expect(storage().signOutOrders().size).toBe(0);
  });
});
