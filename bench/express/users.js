// Finds users where Latchkey keeps them: in SQLite through better-sqlite3, or in PostgreSQL through pg.
'use strict';

const COLUMNS = 'id, username, email, password_hash, credential_version, is_disabled, created_at';

module.exports = (url) => (url.startsWith('postgres:') ? inPostgres(url) : inSqlite(url.replace(/^sqlite:/, '')));

function inSqlite(file) {
  const Database = require('better-sqlite3');
  const find = new Database(file, { readonly: true }).prepare(`SELECT ${COLUMNS} FROM users WHERE id = ?`);
  return { find: (id) => find.get(Buffer.from(id.replaceAll('-', ''), 'hex')) };
}

function inPostgres(url) {
  const { Pool } = require('pg');
  // As many connections as Latchkey has by default.
  const pool = new Pool({ connectionString: url, max: Number(process.env.POOL) });
  // A statement with a name is prepared once a connection.
  const text = `SELECT ${COLUMNS} FROM users WHERE id = $1`;
  return { find: async (id) => (await pool.query({ name: 'find', text, values: [id] })).rows[0] };
}
