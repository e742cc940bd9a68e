// A stack that runs already, in containers: LATCHKEY_URL says where. Tests share it, so each begins by signing the demo users out.

const users = ['ada', 'grace', 'linus'];

/** The port of the running stack; none where each test starts a process of its own. */
export function stackPort(): number | undefined {
  const url = process.env['LATCHKEY_URL'];
  return url ? Number(new URL(url).port) : undefined;
}

/** Ends every session of the demo users. */
export async function signDemoUsersOut(port: number): Promise<void> {
  const auth = `http://127.0.0.1:${port}/api/auth`;
  for (const username of users) {
    const answer = await fetch(`${auth}/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username, password: `latchkey-demo-${username}` }),
    });
    const { accessToken } = (await answer.json()) as { accessToken: string };
    const headers = { Authorization: `Bearer ${accessToken}` };
    await fetch(`${auth}/sessions`, { method: 'DELETE', headers });
  }
}
