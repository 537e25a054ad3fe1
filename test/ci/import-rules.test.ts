import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let project: string;

/** A small project under the real rules, with one file for each way to break them. */
beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), 'import-rules-'));
  await cp(path.join(root, '.dependency-cruiser.cjs'), path.join(project, '.dependency-cruiser.cjs'));
  await cp(path.join(root, 'tsconfig.json'), path.join(project, 'tsconfig.json'));
  await symlink(path.join(root, 'node_modules'), path.join(project, 'node_modules'));
  await write('contracts/one.ts', 'export const one = 1;\n');
  await write('store/orders.ts', "import { one } from '../contracts/one.ts';\nexport const two = one + 1;\n");
  await write('runtime/index.ts', 'export const value = 1;\nexport interface Value { value: number }\n');
});
afterAll(() => rm(project, { recursive: true }));

test('allowed imports pass', async () => {
  expect(await violations('store')).toEqual([]);
});

test.each([
  ['a value', "import { value } from '../runtime/index.ts';\nexport const again = value;"],
  ['a type', "import type { Value } from '../runtime/index.ts';\nexport type Again = Value;"],
  ['a type by import()', "export type Again = import('../runtime/index.ts').Value;"],
  ['a re-export', "export * from '../runtime/index.ts';"],
  ['a dynamic import', "export const load = () => import('../runtime/index.ts');"],
])('a room that imports %s of a forbidden room is named', async (_, source) => {
  await write('kafka/broken.ts', source);
  expect(await violations('kafka')).toEqual(['kafka-imports']);
});

test('an import past the door of a room is named', async () => {
  await write('store/tickets/tickets.ts', 'export const ticket = 1;\n');
  await write(
    'display/board.ts',
    "import { ticket } from '../store/tickets/tickets.ts';\nexport const again = ticket;",
  );
  expect(await violations('display')).toEqual(['door-of-store']);
});

test('a command that something imports is named', async () => {
  await write('cli/audit.ts', 'export const audit = 1;\n');
  await write('lab/chaos/verdict.ts', 'import { audit } from "../../cli/audit.ts";\nexport const again = audit;');
  expect(await violations('lab')).toEqual(['nothing-imports-cli']);
});

test('a client outside its room, and a cycle, are named', async () => {
  await write('gateway/client.ts', "import { Kafka } from 'kafkajs';\nexport const client = Kafka;");
  await write('edge/a.ts', "import { b } from './b.ts';\nexport const a = () => b;");
  await write('edge/b.ts', "import { a } from './a.ts';\nexport const b = () => a;");
  expect(await violations('gateway')).toEqual(['only-kafka-knows-its-client']);
  expect(new Set(await violations('edge'))).toEqual(new Set(['no-cycles']));
});

async function write(file: string, source: string): Promise<void> {
  await mkdir(path.dirname(path.join(project, file)), { recursive: true });
  await writeFile(path.join(project, file), source);
}

function violations(room: string): Promise<string[]> {
  const args = [
    path.join(root, '.ci/dependency-cruiser.mjs'),
    '--config',
    '.dependency-cruiser.cjs',
    '-T',
    'json',
    room,
  ];
  return new Promise((resolve, reject) => {
    // The exit status counts the violations.
    execFile(process.execPath, args, { cwd: project, maxBuffer: 2 ** 24 }, (_, stdout, stderr) => {
      try {
        const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string } }[] } };
        resolve(summary.violations.map(({ rule }) => rule.name));
      } catch {
        reject(new Error(stderr));
      }
    });
  });
}
