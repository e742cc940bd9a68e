import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { form } from '@angular/forms/signals';
import { explain, formErrors } from './form-errors';

describe('formErrors', () => {
  const tree = () => TestBed.runInInjectionContext(() => form(signal({ name: '' })));

  it('puts each message at the field that the server named', () => {
    const { name } = tree();
    const errors = formErrors({ status: 422, errors: { name: ['is taken', 'is odd'] } }, { name });
    expect(errors).toEqual({
      atFields: [
        { kind: 'server', message: 'Is taken.', fieldTree: name },
        { kind: 'server', message: 'Is odd.', fieldTree: name },
      ],
      ofForm: '',
    });
  });

  it('keeps a message for a field that the form does not have', () => {
    const { name } = tree();
    const errors = formErrors(
      { status: 422, errors: { name: ['is taken'], constructor: ['is odd'] } },
      { name },
    );
    expect(errors.atFields).toHaveLength(1);
    expect(errors.ofForm).toBe('Constructor is odd.');
  });

  it('says something for the whole form where no field is named', () => {
    const errors = formErrors({ status: 409, detail: 'That username is taken', errors: {} }, {});
    expect(errors).toEqual({ atFields: [], ofForm: 'That username is taken.' });
  });
});

describe('explain', () => {
  it.each([
    [{ status: 0, errors: {} }, 'The server cannot be reached. Check your connection and try again.'],
    [{ status: 429, retryAfter: 42, errors: {} }, 'Too many attempts. Try again in 42 seconds.'],
    [{ status: 429, errors: {} }, 'Too many attempts. Try again in a moment.'],
    [{ status: 503, retryAfter: 1, errors: {} }, 'The server is busy. Try again in a second.'],
    [{ status: 502, detail: 'upstream', errors: {} }, 'The server is busy. Try again in a moment.'],
    [{ status: 404, detail: 'no such job', errors: {} }, 'No such job.'],
    [{ status: 422, detail: 'invalid', errors: { title: ['is too long'] } }, 'Title is too long.'],
    [{ status: 418, errors: {} }, 'That did not work. Please try again.'],
  ])('makes a sentence of %o', (problem, sentence) => {
    expect(explain(problem)).toBe(sentence);
  });
});
