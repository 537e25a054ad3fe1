import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../../contracts/config/config.ts';
import { type Secret, secretText } from '../../../contracts/config/secret.ts';

const user = { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'till' };

function secretFile(text: string): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'secret-')), 'password');
  writeFileSync(file, text);
  return file;
}

test('a secret comes from the variable', () => {
  const { KAFKA_SASL_PASSWORD: password } = loadConfig({ ...user, KAFKA_SASL_PASSWORD: 'open sesame' });
  expect(secretText(password as Secret)).toBe('open sesame');
});

test('a secret comes from a file, without its last line break, and follows the file', () => {
  const file = secretFile('first\n');
  const { KAFKA_SASL_PASSWORD: password } = loadConfig({ ...user, KAFKA_SASL_PASSWORD_FILE: file });
  expect(secretText(password as Secret)).toBe('first');
  writeFileSync(file, 'second');
  expect(secretText(password as Secret)).toBe('second');
});

test.each([
  [
    { KAFKA_SASL_PASSWORD_FILE: '/none/there' },
    'KAFKA_SASL_PASSWORD_FILE is "/none/there"; it takes a file that can be read',
  ],
  [{ KAFKA_SASL_PASSWORD: 'a', KAFKA_SASL_PASSWORD_FILE: '/none/there' }, 'are both set'],
])('refuses %o', (env, message) => {
  expect(() => loadConfig(env)).toThrow(ConfigError);
  expect(() => loadConfig(env)).toThrow(message);
});

test.each(['mysql://x', 'postgres://me:word@h/d?sslmode=sure'])('refuses the database %s without telling it', (url) => {
  expect(() => loadConfig({ DATABASE_URL: url })).toThrow(
    'DATABASE_URL has another text; it takes a URL starting with postgres:// or postgresql://, with an sslmode of disable',
  );
  expect(() => loadConfig({ DATABASE_URL: url })).not.toThrow(url);
});

test('refuses an empty file', () => {
  expect(() => loadConfig({ KAFKA_SASL_PASSWORD_FILE: secretFile('\n') })).toThrow('it takes a file with a password');
});

test('a file is refused for a variable that is no secret', () => {
  expect(() => loadConfig({ ORDERMESH_SLOTS_FILE: '/tmp/slots' })).toThrow('ORDERMESH_SLOTS_FILE is not a variable');
});
