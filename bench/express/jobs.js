// Lists jobs where Latchkey keeps them, in SQLite, through better-sqlite3.
'use strict';

const Database = require('better-sqlite3');

const LAST = Buffer.alloc(16, 0xff);

module.exports = (file) => {
  const page = new Database(file, { readonly: true }).prepare(
    `SELECT id, title, description, status, created_at, updated_at FROM jobs
     WHERE owner_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
  );

  const uuid = (bytes) => bytes.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
  const job = (row) => ({
    id: uuid(row.id),
    title: row.title,
    description: row.description,
    status: row.status,
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  });
  const list = (owner, limit) => page.all(Buffer.from(owner.replaceAll('-', ''), 'hex'), LAST, limit).map(job);
  return { list };
};
