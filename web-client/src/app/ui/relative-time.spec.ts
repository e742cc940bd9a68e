import { plainDate, plainTime, relativeTime } from './relative-time';

describe('relativeTime', () => {
  const now = Date.parse('2026-11-23T12:00:00Z');
  const ago = (seconds: number) => relativeTime(new Date(now - seconds * 1_000).toISOString(), now);

  it.each([
    [0, 'just now'],
    [59, 'just now'],
    [60, '1 minute ago'],
    [3_599, '59 minutes ago'],
    [3_600, '1 hour ago'],
    [86_400, 'yesterday'],
    [86_400 * 6, '6 days ago'],
    [86_400 * 8, 'last week'],
    [86_400 * 45, 'last month'],
    [86_400 * 800, '2 years ago'],
  ])('says in words what was %i seconds ago', (seconds, words) => {
    expect(ago(seconds)).toBe(words);
  });

  it('does not speak of the future when clocks differ', () => {
    expect(ago(-3_600)).toBe('just now');
  });
});

describe('a date', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each([
    ['en-GB', '24 November 2026', '24 Nov 2026'],
    ['en-US', 'November 24, 2026', 'Nov 24, 2026'],
    ['de', '24. November 2026', '24.11.2026'],
  ])('is written as someone who reads %s expects it', (language, long, medium) => {
    vi.spyOn(navigator, 'language', 'get').mockReturnValue(language);
    expect(plainDate('2026-11-24T12:00:00Z')).toBe(long);
    expect(plainTime('2026-11-24T12:00:00Z')).toContain(medium);
  });
});
