import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { addressOf, databaseOf, ledgerOf, spokenAddress } from '../../store/database/connection/database-server.ts';

test('a URL names host, port, user, password, database and settings', () => {
  expect(addressOf('postgres://me:a%2Fb@db.example:6543/orders?statement_timeout=5000')).toEqual({
    hosts: [{ host: 'db.example', port: 6_543 }],
    user: 'me',
    password: 'a/b',
    database: 'orders',
    tls: { mode: 'disable' },
    parameters: { statement_timeout: '5000' },
  });
});

test('a URL may name several hosts, an IPv6 address or a directory of sockets', () => {
  expect(addressOf('postgres://me@one:1111,two,[::1]:3333/d').hosts).toEqual([
    { host: 'one', port: 1_111 },
    { host: 'two', port: 5_432 },
    { host: '::1', port: 3_333 },
  ]);
  expect(addressOf('postgres://me@localhost/d?host=/run/postgresql').socketDirectory).toBe('/run/postgresql');
  expect(spokenAddress('postgres://me:word@one:1111,[::1]/d')).toBe('one:1111,[::1]:5432');
  expect(loadConfig({ DATABASE_URL: 'postgres://me@one:1111,two/d?sslmode=require' }).DATABASE_URL).toBeDefined();
});

test.each([
  ['', {}, 'disable'],
  ['', { DATABASE_SSL_CA_FILE: '/ca.pem' }, 'verify-full'],
  ['?sslmode=require', {}, 'require'],
  ['?sslmode=require', { DATABASE_SSL_CA_FILE: '/ca.pem' }, 'verify-ca'],
  ['?sslmode=verify-full&sslrootcert=system', { DATABASE_SSL_CA_FILE: '/ca.pem' }, 'verify-full'],
  ['?sslmode=disable', { DATABASE_SSL_CA_FILE: '/ca.pem' }, 'disable'],
])('the URL %o with %o asks for %s', (query, files, mode) => {
  const server = databaseOf(loadConfig({ DATABASE_URL: `postgres://me@h/d${query}`, ...files }));
  expect(addressOf(server ?? '').tls.mode).toBe(mode);
});

test('a URL in a file is read again, and the ledger has one of its own or the same', () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'url-')), 'url');
  writeFileSync(file, 'postgres://old:first@h/d\n');
  const config = loadConfig({ DATABASE_URL_FILE: file, DATABASE_SSL_CA_FILE: '/ca.pem' });
  expect(ledgerOf(config)).toEqual(databaseOf(config));
  expect(addressOf(databaseOf(config) ?? '').user).toBe('old');
  writeFileSync(file, 'postgres://new:second@h/d\n');
  expect(addressOf(databaseOf(config) ?? '')).toMatchObject({ user: 'new', password: 'second' });
  const other = loadConfig({ DATABASE_URL_FILE: file, ORDERMESH_PAYMENT_LEDGER_URL: 'postgres://p@ledger/d' });
  expect(spokenAddress(ledgerOf(other) ?? '')).toBe('ledger:5432');
});
