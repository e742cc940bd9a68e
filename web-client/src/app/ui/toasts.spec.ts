import { TestBed } from '@angular/core/testing';
import { ToastList, Toasts } from './toasts';

describe('Toasts', () => {
  let toasts: Toasts;
  beforeEach(() => {
    vi.useFakeTimers();
    toasts = TestBed.inject(Toasts);
  });
  afterEach(() => vi.useRealTimers());
  const texts = () => toasts.toasts().map(({ text }) => text);

  it('go away by themselves', () => {
    toasts.show({ text: 'Saved.' });
    expect(texts()).toEqual(['Saved.']);
    vi.advanceTimersByTime(6_000);
    expect(texts()).toEqual([]);
  });

  it('stay where they report an error or offer something to do', () => {
    toasts.show({ text: 'Failed.', isError: true });
    toasts.show({ text: 'Removed.', action: { label: 'Undo', run: vi.fn() } });
    vi.advanceTimersByTime(600_000);
    expect(texts()).toEqual(['Failed.', 'Removed.']);
  });

  it('are three at most, the oldest making room', () => {
    for (const text of ['1', '2', '3', '4']) toasts.show({ text });
    expect(texts()).toEqual(['2', '3', '4']);
  });

  it('do what they offer, once, and close', () => {
    const run = vi.fn();
    toasts.show({ text: 'Failed.', isError: true, action: { label: 'Try again', run } });
    const fixture = TestBed.createComponent(ToastList);
    fixture.detectChanges();
    (fixture.nativeElement as HTMLElement).querySelector<HTMLElement>('.link')?.click();
    expect(run).toHaveBeenCalledTimes(1);
    expect(texts()).toEqual([]);
  });
});
