// What Latchkey is compared with: the same two calls as an experienced team would write them in Express. Tokens, users, sessions and
// jobs are those of the Latchkey beside it: the same secrets, the same databases, the same script in Redis.
//
// It leaves out what only Latchkey has: request ids, spans, a log line and metrics for each request, limits.
'use strict';

const cluster = require('node:cluster');

// One process a core, as many as Latchkey has workers there.
const PROCESSES = Number(process.env.PROCESSES);

if (cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', (worker, address) => {
    listening += 1;
    if (listening === PROCESSES) {
      console.log(JSON.stringify({ message: 'Express is listening', address: `127.0.0.1:${address.port}` }));
    }
  });
  for (let i = 0; i < PROCESSES; i += 1) cluster.fork();
  process.on('SIGTERM', () => {
    cluster.on('exit', () => {
      if (Object.keys(cluster.workers).length === 0) process.exit();
    });
    for (const worker of Object.values(cluster.workers)) worker.process.kill();
  });
} else {
  serve();
}

function serve() {
  const express = require('express');
  const tokens = require('./tokens');
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  if (process.env.JOBS_FILE) {
    const jobs = require('./jobs')(process.env.JOBS_FILE);
    app.get('/job-list', (request, response) => {
      const [scheme, token] = (request.headers.authorization ?? '').split(' ');
      if (scheme.toLowerCase() !== 'bearer') return response.status(401).json({ code: 'access_token_missing' });
      const claims = tokens.verifyAccess(token);
      if (!claims) return response.status(401).json({ code: 'access_token_invalid' });
      return response.json(jobs.list(claims.sub, Number(request.query.limit ?? 100)));
    });
  }

  if (process.env.REDIS_URL) {
    const users = require('./users')(process.env.USERS_URL);
    const sessions = require('./sessions')(process.env.REDIS_URL, process.env.SCRIPTS);
    app.post('/refresh-token', express.json({ limit: '16kb' }), async (request, response) => {
      const claims = tokens.verifyRefresh(request.body.refreshToken);
      if (!claims) return response.status(403).json({ code: 'refresh_token_invalid' });
      // Looked up before anything is spent, as in Latchkey.
      const user = await users.find(claims.sub);
      const key = request.get('Idempotency-Key');
      const [outcome, generation, rotatedAt] = await sessions.rotate(claims, user, key, request.socket.remoteAddress);
      if (!['rotated', 'replayed', 'healed'].includes(outcome)) return response.status(403).json({ code: outcome });
      return response.set('Cache-Control', 'no-store').json(tokens.pair(user, claims, generation, rotatedAt));
    });
  }

  app.listen(Number(process.env.PORT), '127.0.0.1');
}
