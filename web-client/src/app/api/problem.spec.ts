import { HttpErrorResponse, HttpHeaders } from '@angular/common/http';
import { isTemporary, toProblem } from './problem';

function answer(status: number, error: unknown, headers: Record<string, string> = {}) {
  return new HttpErrorResponse({ status, error, headers: new HttpHeaders(headers) });
}

describe('toProblem', () => {
  it('reads the code, the reason and the errors by field', () => {
    const problem = toProblem(
      answer(422, { code: 'validation_failed', detail: 'No.', errors: { title: ['is too long', 'is odd'] } }),
    );
    expect(problem).toMatchObject({
      status: 422,
      code: 'validation_failed',
      detail: 'No.',
      errors: { title: ['is too long', 'is odd'] },
    });
    expect(toProblem(answer(403, { code: 'session_ended', reason: 'admin' })).reason).toBe('admin');
  });

  it('reads a body that arrived as text', () => {
    expect(toProblem(answer(403, '{"code":"session_ended"}')).code).toBe('session_ended');
  });

  it('reads how long to wait, in whole seconds only', () => {
    const wait = (header: string) => toProblem(answer(503, null, { 'Retry-After': header })).retryAfter;
    expect(wait('7')).toBe(7);
    expect(wait('Wed, 21 Oct 2026 07:28:00 GMT')).toBeUndefined();
    expect(wait('-1')).toBeUndefined();
    expect(wait('99999999999')).toBeUndefined();
  });

  it.each([
    ['HTML', '<html>Forbidden</html>'],
    ['nothing', null],
    ['a number', 7],
    ['a list', ['session_ended']],
    ['a code that is not a word', { code: 7, errors: 'none' }],
  ])('finds no code in %s', (_, body) => {
    expect(toProblem(answer(403, body))).toMatchObject({ status: 403, code: undefined, errors: {} });
  });

  it('takes a success that does not parse for no answer at all', () => {
    expect(toProblem(answer(200, { error: new SyntaxError(), text: '<html>' })).status).toBe(0);
  });

  it('takes an error that is not an answer for no answer at all', () => {
    expect(toProblem(new Error('timed out')).status).toBe(0);
  });
});

describe('isTemporary', () => {
  it.each([0, 408, 429, 500, 502, 503, 504])('is true for %i', (status) => {
    expect(isTemporary({ status, errors: {} })).toBe(true);
  });
  it.each([400, 401, 403, 404, 409, 422])('is false for %i', (status) => {
    expect(isTemporary({ status, errors: {} })).toBe(false);
  });
});
