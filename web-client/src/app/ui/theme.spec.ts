import { TestBed } from '@angular/core/testing';
import { ThemeChoice } from './theme';

describe('ThemeChoice', () => {
  const shown = () => document.documentElement.dataset['theme'];
  const choice = () => {
    const service = TestBed.inject(ThemeChoice);
    TestBed.tick();
    return service;
  };
  beforeEach(() => {
    localStorage.clear();
    delete document.documentElement.dataset['theme'];
  });
  afterEach(() => vi.restoreAllMocks());

  it('is the device’s until the user chooses, then light, dark, and the device’s again', () => {
    const service = choice();
    const themes = [0, 1, 2, 3].map(() => {
      const theme = shown();
      service.next();
      TestBed.tick();
      return theme;
    });
    expect(themes).toEqual([undefined, 'light', 'dark', undefined]);
  });

  it('is remembered', () => {
    localStorage.setItem('latchkey.theme', 'dark');
    expect(choice().theme()).toBe('dark');
    expect(shown()).toBe('dark');
  });

  it('ignores a stored value that is none', () => {
    localStorage.setItem('latchkey.theme', 'plaid');
    expect(choice().theme()).toBe('system');
  });

  it('follows a choice made in another tab', () => {
    const service = choice();
    localStorage.setItem('latchkey.theme', 'light');
    dispatchEvent(new StorageEvent('storage', { key: 'latchkey.theme' }));
    TestBed.tick();
    expect(service.theme()).toBe('light');
    expect(shown()).toBe('light');
  });

  it('holds for the page where nothing can be stored', () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    choice().next();
    TestBed.tick();
    expect(shown()).toBe('light');
  });
});
