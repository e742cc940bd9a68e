// What a form does with a refusal: each message at its field where the server named one, the rest for the whole form.
import { FieldTree, ValidationError } from '@angular/forms/signals';
import { Problem, isTemporary } from '../api/problem';

export interface FormErrors {
  /** Each at its field; it keeps the form from being sent again until that field has changed. */
  readonly atFields: ValidationError.WithFieldTree[];
  /** A sentence about the whole attempt, or nothing. The same form may be sent again as it is. */
  readonly ofForm: string;
}

/** `fields` maps the server's names to the form's fields; a message for any other field is about the whole form. */
export function formErrors(
  problem: Problem,
  fields: Readonly<Record<string, FieldTree<string>>>,
): FormErrors {
  const isHere = ([name]: [string, unknown]) => Object.hasOwn(fields, name);
  const named = Object.entries(problem.errors).filter(isHere);
  const atFields = named.flatMap(([name, messages]) =>
    messages.map((message) => ({
      kind: 'server',
      message: sentence(message),
      fieldTree: fields[name] as FieldTree<string>,
    })),
  );
  const isAllSaid = named.length > 0 && named.length === Object.keys(problem.errors).length;
  const rest = Object.entries(problem.errors).filter((entry) => !isHere(entry));
  return { atFields, ofForm: isAllSaid ? '' : explain({ ...problem, errors: Object.fromEntries(rest) }) };
}

/** The first field that needs another look, for the keyboard to be there already. */
export function focusFirstError(form: FieldTree<unknown>): void {
  form().errorSummary()[0]?.fieldTree().focusBoundControl();
}

/** A sentence for a person about anything that can go wrong on the way. */
export function explain(problem: Problem): string {
  if (problem.status === 0) return 'The server cannot be reached. Check your connection and try again.';
  if (problem.status === 429) return `Too many attempts. Try again ${inSeconds(problem.retryAfter)}.`;
  if (isTemporary(problem)) return `The server is busy. Try again ${inSeconds(problem.retryAfter)}.`;
  const [first] = Object.entries(problem.errors);
  if (first) return sentence(`${first[0]} ${first[1][0] ?? 'is not acceptable'}`);
  return problem.detail ? sentence(problem.detail) : 'That did not work. Please try again.';
}

function inSeconds(seconds: number | undefined): string {
  if (!seconds) return 'in a moment';
  return seconds === 1 ? 'in a second' : `in ${seconds} seconds`;
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
