// Rotates sessions by the very script that Latchkey runs, through ioredis.
'use strict';

const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { isIPv4 } = require('node:net');
const { join } = require('node:path');
const Redis = require('ioredis');

const REFRESH_MILLISECONDS = 30 * 24 * 60 * 60 * 1000;
const REASONS = Buffer.from([4, 5, 6]);

module.exports = (url, scripts) => {
  const redis = new Redis(url);
  const lua = ['record.lua', 'rotate.lua'].map((name) => readFileSync(join(scripts, name), 'utf8')).join('');
  redis.defineCommand('rotate', { numberOfKeys: 1, lua });

  async function rotate(claims, user, key, address) {
    const now = Date.now();
    const id = Buffer.from(claims.sid.replaceAll('-', ''), 'hex');
    const random = Buffer.from(claims.jti.split('.')[0], 'base64url');
    const digest = key ? createHash('sha256').update(id).update(key).digest().subarray(0, 16) : '';
    const version = Buffer.alloc(8);
    version.writeBigInt64BE(BigInt(user.credential_version));
    const place = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : Buffer.alloc(16);
    const name = `latchkey:{${claims.sub}}:sessions`;
    return redis.rotate(
      name, String(now), '', id, random, String(claims.gen), '', digest, version, place,
      String(now + REFRESH_MILLISECONDS), '0', REASONS,
    );
  }
  return { rotate };
};
