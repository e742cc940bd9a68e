import { Component, signal } from '@angular/core';
import { Page } from '../../testing/page';
import { Problem } from '../api/problem';
import { LoadFailure } from './load-failure';

const busy: Problem = { status: 503, errors: {}, retryAfter: 7 };
const source = {
  value: signal(undefined),
  problem: signal<Problem | undefined>(busy),
  isFirstTry: signal(false),
  isTryingAgain: signal(false),
  secondsToWait: signal(0),
  reload: vi.fn(),
};

@Component({
  selector: 'app-host',
  imports: [LoadFailure],
  template: `<app-load-failure what="Your jobs" [source]="source" />`,
})
class Host {
  protected readonly source = source;
}

describe('LoadFailure', () => {
  let page: Page;

  beforeEach(async () => {
    source.isTryingAgain.set(false);
    source.secondsToWait.set(0);
    source.reload.mockReset();
    page = await Page.open(Host);
  });

  it('says what is missing and why, and offers another attempt', async () => {
    expect(page.text).toContain('Your jobs could not be loaded. The server is busy.');
    await page.press('Try again');
    expect(source.reload).toHaveBeenCalledOnce();
  });

  it('counts the seconds for which the server wants to be left alone, and does not ask it before', async () => {
    source.secondsToWait.set(7);
    await page.settled();
    expect(page.button('Wait 7 s').disabled).toBe(true);
    source.secondsToWait.set(0);
    await page.settled();
    expect(page.button('Try again').disabled).toBe(false);
  });

  it('does not ask twice at once', async () => {
    source.isTryingAgain.set(true);
    await page.settled();
    expect(page.button('Trying again…').disabled).toBe(true);
  });
});
