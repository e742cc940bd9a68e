// Mints and verifies Latchkey's tokens with jsonwebtoken. Keys are prepared once: with a secret as text the library makes a key anew
// for each call, which takes forty times as long.
'use strict';

const { createSecretKey, randomUUID } = require('node:crypto');
const jwt = require('jsonwebtoken');

const key = (name) => createSecretKey(Buffer.from(process.env[name]));
const access = key('ACCESS_SECRET');
const refresh = key('REFRESH_SECRET');
const ISSUER = 'latchkey';
const ACCESS_SECONDS = 15 * 60;
const REFRESH_SECONDS = 30 * 24 * 60 * 60;

function verify(token, secret, audience) {
  try {
    return jwt.verify(token, secret, { algorithms: ['HS256'], issuer: ISSUER, audience });
  } catch {
    return undefined;
  }
}

exports.verifyAccess = (token) => verify(token, access, 'jobs-service');
exports.verifyRefresh = (token) => verify(token, refresh, 'auth-service');

exports.pair = (user, claims, generation, rotatedAt) => {
  const { sid, sub } = claims;
  const iat = Math.floor(Date.now() / 1000);
  const rotated = Math.floor(rotatedAt / 1000);
  const accessClaims = {
    iss: ISSUER,
    aud: ['auth-service', 'jobs-service'],
    sub,
    iat,
    exp: iat + ACCESS_SECONDS,
    jti: randomUUID(),
    sid,
    user: { id: sub, email: user.email, username: user.username },
  };
  const refreshClaims = {
    iss: ISSUER,
    aud: ['auth-service'],
    sub,
    iat: rotated,
    exp: rotated + REFRESH_SECONDS,
    jti: `${claims.jti.split('.')[0]}.${generation}`,
    sid,
    gen: generation,
  };
  return {
    accessToken: jwt.sign(accessClaims, access, { header: { alg: 'HS256', typ: 'at+jwt', kid: process.env.ACCESS_KID } }),
    refreshToken: jwt.sign(refreshClaims, refresh, { header: { alg: 'HS256', typ: 'rt+jwt', kid: process.env.REFRESH_KID } }),
    tokenType: 'Bearer',
    expiresIn: ACCESS_SECONDS,
    refreshExpiresIn: rotated + REFRESH_SECONDS - iat,
    sessionId: sid,
  };
};
