// What went wrong with a request, read from problem+json (RFC 9457) where the answer is one. Anything else that can
// come back (a proxy's HTML, a cut connection, a captive portal) becomes a problem without a code.
import { HttpErrorResponse } from '@angular/common/http';

export interface Problem {
  /** The HTTP status; 0 where no usable answer came. */
  readonly status: number;
  /** The stable word to switch on, where the answer is one of our services'. */
  readonly code?: string;
  readonly detail?: string;
  /** Why a session ended, with `session_ended`. */
  readonly reason?: string;
  /** Messages by field, with `validation_failed`. */
  readonly errors: Readonly<Record<string, readonly string[]>>;
  /** Seconds to wait before the next attempt, where the server said so. */
  readonly retryAfter?: number;
}

export function toProblem(error: unknown): Problem {
  if (!(error instanceof HttpErrorResponse)) return { status: 0, errors: {} };
  // A 2xx that does not parse is not our service's answer, whatever its status claims.
  const status = error.status >= 400 ? error.status : 0;
  const body = parse(error.error);
  return {
    status,
    code: text(body['code']),
    detail: text(body['detail']),
    reason: text(body['reason']),
    errors: fieldErrors(body['errors']),
    retryAfter: seconds(error.headers.get('Retry-After')),
  };
}

/** True where the fault is the way to the server or the server itself, and the same request may well succeed later. */
export function isTemporary({ status }: Problem): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

function parse(body: unknown): Record<string, unknown> {
  const value: unknown = typeof body === 'string' ? parseJson(body) : body;
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function fieldErrors(value: unknown): Record<string, string[]> {
  if (typeof value !== 'object' || value === null) return {};
  const entries = Object.entries(value).map(([field, messages]: [string, unknown]): [string, string[]] => [
    field,
    (Array.isArray(messages) ? messages : [messages]).filter((message) => typeof message === 'string'),
  ]);
  return Object.fromEntries(entries);
}

/** Whole seconds only, which is what our services send; a date would have to be held against the device's clock. */
function seconds(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) : undefined;
}
