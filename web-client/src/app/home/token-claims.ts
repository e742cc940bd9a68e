// What a token says about itself, for showing only: nothing here is verified, and nothing may be decided by it.

export interface Claims {
  readonly iss?: string;
  readonly aud?: readonly string[];
  readonly sub?: string;
  readonly sid?: string;
  readonly gen?: number;
}

/** The claims of a JWT, or none where the text is not one. */
export function claimsOf(token: string): Claims {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}
