import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderSchema } from '../../contracts/order/order.ts';
import { compileValidator } from '../../contracts/validation.ts';
import { HeldIntake, sampleOrder, startServerOn } from '../gateway/support.ts';
import { ordermesh, startOrdermesh } from '../support/ordermesh.ts';

const TIMEOUT_MS = 60_000;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'ordermesh-cli-'));
});
afterAll(() => rm(dataDir, { recursive: true }));

const env = () => ({ ORDERMESH_DATA_DIR: dataDir });

const commands = [
  ['up'],
  ['smoke'],
  ['gateway'],
  ['worker'],
  ['display'],
  ['bridge'],
  ['warehouse'],
  ['loyalty'],
  ['topics'],
  ['topics', 'apply'],
  ['topics', 'show'],
  ['token'],
  ['menu'],
  ['menu', 'load'],
  ['menu', 'list'],
  ['menu', '86'],
  ['menu', 'restore'],
  ['menu', 'stock'],
  ['orders'],
  ['orders', 'sample'],
  ['orders', 'send'],
  ['orders', 'show'],
  ['dlt'],
  ['dlt', 'list'],
  ['dlt', 'show'],
  ['dlt', 'replay'],
  ['dlt', 'discard'],
  ['dlt', 'stop'],
  ['dlt', 'log'],
  ['audit'],
  ['profile'],
  ['load'],
];

test.for(commands)('%s --help says what it does and ends with 0', { timeout: TIMEOUT_MS }, async (command) => {
  const { code, stdout, stderr } = await ordermesh([...command, '--help'], env());
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: ordermesh ${command.join(' ')}`);
});

test('--help lists every command', { timeout: TIMEOUT_MS }, async () => {
  const { code, stdout } = await ordermesh(['--help']);
  expect(code).toBe(0);
  for (const [name] of commands) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
});

test.for([
  { args: ['tokn'], says: /unknown command 'tokn'/ },
  { args: ['token'], says: /--store <id>/ },
  { args: ['orders', 'sample', '--count', 'many'], says: /--count.*whole number/ },
  {
    args: ['orders', 'sample', '--day', '2026-11-23T06:00:00Z', '--at', '2026-11-23T06:00:00Z'],
    says: /--day and --at/,
  },
  { args: ['orders', 'sample', '--store', 'us-xx-1'], says: /--store us-xx-1 is not a store.*us-il-0001/ },
  { args: ['worker', 'cook'], says: /order-validator, payment, kitchen/ },
  { args: ['audit', '--since', 'yesterday'], says: /--since.*RFC 3339/ },
  { args: ['dlt', 'replay'], says: /name what to replay.*orderId.*--all/ },
  { args: ['dlt', 'replay', '--all', '--group', 'payment'], says: /--all and group contradict/ },
  { args: ['dlt', 'replay', '--all', '--rate', '0'], says: /--rate.*above 0/ },
  { args: ['dlt', 'replay', 'an-order', '--edit'], says: /say why with --why/ },
  { args: ['dlt', 'replay', 'an-order', '--offset', '3'], says: /--offset is for --edit/ },
  { args: ['dlt', 'discard', 'an-order'], says: /--why/ },
  { args: ['dlt', 'list', '--group', 'chef'], says: /order-validator, payment, kitchen, bridge/ },
  { args: ['orders', 'send', 'no-such-file.ndjson'], says: /there is no file no-such-file\.ndjson/ },
  { args: ['profile', 'cook'], says: /gateway, order-validator, payment/ },
  { args: ['profile', 'payment', '--seconds', '61'], says: /--seconds.*from 1 to 60/ },
  {
    args: ['profile', 'payment', '--admin', 'http://127.0.0.1:1'],
    says: /no payment answers at http:\/\/127\.0\.0\.1:1.*--admin/,
  },
  { args: ['load', '--gateway', 'localhost'], says: /--gateway.*http/ },
  { args: ['token', '--store', 'BAD ID'], says: /--store.*BAD ID.*store id such as us-il-0001: lower-case/ },
  { args: ['orders', 'send', '/'], says: /^ordermesh: \/ is a directory; the command takes a file$/m },
  { args: ['menu', 'load', '/'], says: /^ordermesh: \/ is a directory; the command takes a file$/m },
  { args: ['menu', '86', 'fries'], says: /required option '--store <id>'/ },
  { args: ['menu', 'stock', 'fries', 'many', '--store', 'us-il-0001'], says: /pieces.*whole number from 0/ },
  {
    args: ['menu', 'load', 'menu.json', '--effective', 'tomorrow'],
    says: /--effective.*it takes an RFC 3339 time/,
  },
  { args: ['menu', 'load', 'menu.json', '--effective', '1d', '--reset'], says: /--reset changes stock at once/ },
  { args: ['menu', 'load', 'no-such-file.json'], says: /there is no file no-such-file\.json/ },
])('wrong usage ends with 2 and says what is wrong: $args', { timeout: TIMEOUT_MS }, async ({ args, says }) => {
  const { code, stdout, stderr } = await ordermesh(args, env());
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test('without servers a command names the variables and the way out', { timeout: TIMEOUT_MS }, async () => {
  const { code, stderr } = await ordermesh(['audit'], env());
  expect(code).toBe(2);
  expect(stderr).toBe(
    `ordermesh: KAFKA_BROKERS and DATABASE_URL not set, and no stack runs in ${dataDir}: set them or start one with \`make run\`\n`,
  );
});

test('a bad variable is named with what it takes', { timeout: TIMEOUT_MS }, async () => {
  const { code, stderr } = await ordermesh(['gateway'], {
    ...env(),
    ORDERMESH_PARTITIONS: 'twelve',
    ORDERMESH_PORT: '1',
  });
  expect(code).toBe(2);
  expect(stderr).toMatch(/ORDERMESH_PARTITIONS is "twelve"; it takes a whole number/);
  expect(stderr).toMatch(/ORDERMESH_PORT is not a variable of Ordermesh/);
});

test('servers that do not answer are an error without a stack trace', { timeout: TIMEOUT_MS }, async () => {
  const nowhere = { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  const { code, stderr } = await ordermesh(['topics', 'show'], { ...env(), ...nowhere });
  expect(code).toBe(1);
  expect(stderr).toMatch(/127\.0\.0\.1:1/);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test.for([
  ['load', '--rate', '1', '--seconds', '1'],
  ['orders', 'send', '-'],
])('a gateway that is not there is said at once: %s', { timeout: TIMEOUT_MS }, async (command) => {
  const { code, stdout, stderr } = await ordermesh([...command, '--gateway', 'http://127.0.0.1:1'], env(), '{}\n');
  expect(stderr).toMatch(
    /^ordermesh: no gateway answers at http:\/\/127\.0\.0\.1:1 \(.+\); start one with `make run`/m,
  );
  expect(stdout).toBe('');
  expect(code).toBe(1);
});

test('token makes no second issuer in a directory that is not the one of a stack', {
  timeout: TIMEOUT_MS,
}, async () => {
  const elsewhere = await mkdtemp(path.join(dataDir, 'elsewhere-'));
  const token = () => ordermesh(['token', '--store', 'us-il-0001'], {}, '', elsewhere);
  const { code, stdout, stderr } = await token();
  expect(stderr).toBe(
    `ordermesh: there is no issuer in ${elsewhere}/.data/issuer: a token of a new one would be taken by no gateway; run this where the gateway has its data, or set ORDERMESH_DATA_DIR to that directory\n`,
  );
  expect([code, stdout, await readdir(elsewhere)]).toEqual([2, '', []]);
  // The data of a stack.
  await mkdir(path.join(elsewhere, '.data'));
  await writeFile(path.join(elsewhere, '.data', 'stack.json'), '{}');
  expect(await token()).toMatchObject({ code: 0, stderr: expect.stringContaining('makes a new issuer in') });
  expect(await token()).toMatchObject({ code: 0, stderr: '' });
});

test('token prints a token of its store, and nothing else', { timeout: TIMEOUT_MS }, async () => {
  const { code, stdout } = await ordermesh(['token', '--store', 'us-il-0001'], env());
  expect(code).toBe(0);
  const [, payload] = stdout.trim().split('.');
  expect(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())).toMatchObject({
    store: 'us-il-0001',
    iss: 'ordermesh-dev',
    aud: 'ordermesh',
  });
});

test('send names the field that is wrong and what it takes', { timeout: TIMEOUT_MS }, async () => {
  await using gateway = await startServerOn(new HeldIntake());
  const token = (await gateway.bearer()).replace('Bearer ', '');
  const order = sampleOrder({ placedAt: '2026-11-22T10:00:00-06', customerId: 'c\0' });
  const args = ['orders', 'send', '-', '--gateway', gateway.url, '--token', token];
  const { code, stderr } = await ordermesh(args, env(), `${JSON.stringify(order)}\n`);
  expect(code).toBe(1);
  expect(stderr).toContain(`order ${order.orderId}: 422 invalid-order the order does not match the schema; `);
  expect(stderr).toContain('/placedAt must be a date and time with Z or an offset');
  expect(stderr).toContain('/customerId must not hold control characters');
});

test('sample prints as many valid orders as asked, the same for the same seed and time', {
  timeout: TIMEOUT_MS,
}, async () => {
  const args = ['orders', 'sample', '--count', '20', '--seed', '7', '--at', '2026-11-22T10:00:00Z'];
  const [one, other] = await Promise.all([ordermesh(args, env()), ordermesh(args, env())]);
  expect(one).toEqual(other);
  expect(one.code).toBe(0);
  const validate = compileValidator(orderSchema);
  const lines = one.stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(20);
  for (const line of lines) expect(validate(JSON.parse(line))).toMatchObject({ ok: true });
});

test('without a seed sample says which one it took', { timeout: TIMEOUT_MS }, async () => {
  const { code, stderr } = await ordermesh(['orders', 'sample'], env());
  expect(code).toBe(0);
  expect(stderr).toMatch(/^seed \d+\n$/);
});

test('a closed pipe ends the command quietly, and not as a success', { timeout: TIMEOUT_MS }, async () => {
  const output = startOrdermesh(['orders', 'sample', '--count', '1000', '--seed', '1'], env());
  output.stdout.destroy();
  const [code, stderr] = await Promise.all([once(output, 'close'), text(output.stderr)]);
  expect(stderr).toBe('');
  expect(code[0]).toBe(141);
  // Without a reader of what is said, the exit code is still that of the work.
  const said = startOrdermesh(['audit'], env());
  said.stderr.destroy();
  const [[refused], stdout] = await Promise.all([once(said, 'close'), text(said.stdout)]);
  expect([refused, stdout]).toEqual([2, '']);
});
