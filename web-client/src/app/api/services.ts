// Where our services are, and which requests may carry the access token. The list is matched on the parsed URL:
// a prefix of the text would also match `/api/auth.example.test` or another origin that repeats our path.

export const authService = '/api/auth';
export const jobsService = '/api/jobs';

/** Calls that sign in, renew or sign out by what they carry in the body; an access token has no business there. */
const withoutAccessToken = new Set(
  ['login', 'refresh-token', 'logout', 'register'].map((call) => `${authService}/${call}`),
);

/** True for a call to one of our services that is made in the name of the signed-in user. */
export function carriesAccessToken(url: string, base: string = document.baseURI): boolean {
  const parsed = URL.parse(url, base);
  if (!parsed || parsed.origin !== new URL(base).origin) return false;
  // A path that hides a slash or a dot could mean one thing here and another to the server behind a proxy.
  if (/%(2f|5c|2e)/i.test(parsed.pathname)) return false;
  const isOurs = [authService, jobsService].some((service) => parsed.pathname.startsWith(`${service}/`));
  return isOurs && !withoutAccessToken.has(parsed.pathname);
}
