import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';

/** Documents must follow the code when files move: each path and link that they name exists, and the table of rooms is that of the import rules. */

interface Rule {
  name: string;
  comment: string;
}
const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as { forbidden: Rule[] };

const tracked = list('ls-files', '-co', '--exclude-standard');
const rooms = [...new Set(tracked.flatMap((file) => /^([a-z]+)\//.exec(file)?.[1] ?? []))];
/** The change log tells of files that were moved since. */
const documents = tracked.filter((file) => file.endsWith('.md') && file !== 'CHANGELOG.md');
/** Written by a command, and in no commit. */
const written = ['perf/report/'];

const roomPath = new RegExp(`^(${rooms.join('|')})/`);

test('the documents are found', () => {
  expect(documents).toContain('docs/architecture.md');
  expect(documents).toContain('CONTRIBUTING.md');
});

test.each(documents)('%s names only paths that exist', (document) => {
  const text = readFileSync(document, 'utf8');
  const named = [...text.matchAll(/`([^`\n]+)`/g)]
    // `runtime/host/runtime-host.ts: onBatch` names a function too, and a command line has arguments.
    .map(([, name = '']) => name.split(/[: ]/, 1)[0] ?? '')
    .filter((name) => roomPath.test(name) && !/[*<…]/.test(name) && !written.some((folder) => name.startsWith(folder)));
  // Examples in code import from a folder that lies two below the root.
  const imported = [...text.matchAll(/from '\.\.\/\.\.\/([^']+)'/g)].map(([, name = '']) => name);
  expect([...named, ...imported].filter((file) => !existsSync(file))).toEqual([]);
});

test.each(documents)('%s links only to files that exist', (document) => {
  const targets = [...readFileSync(document, 'utf8').matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
  expect(targets.filter((target) => !existsSync(path.join(path.dirname(document), target)))).toEqual([]);
});

test('the table of rooms in docs/architecture.md is that of the import rules', () => {
  const rules = forbidden.flatMap(({ name, comment }) => {
    const [, others] = /^\S+ imports (.*) and no other room$/.exec(comment) ?? [];
    if (name === 'contracts-imports') return [['contracts', 'nothing']];
    return others === undefined ? [] : [[name.slice(0, -'-imports'.length), others]];
  });
  expect(rules.length).toBeGreaterThan(10);
  const rows = [...readFileSync('docs/architecture.md', 'utf8').matchAll(/^\| `([a-z/]+)\/` \|.*\| ([^|]+) \|$/gm)];
  const table = rows.map(([, room, others]) => [room, others]).filter(([, others]) => others !== 'all');
  expect(table).toEqual(rules);
  // Every room with code has a row.
  expect(rows.map(([, room]) => room?.split('/')[0])).toEqual(
    expect.arrayContaining(rooms.filter((room) => room !== 'deploy')),
  );
});

function list(...args: string[]): string[] {
  return execFileSync('git', args, { encoding: 'utf8' }).split('\n').filter(Boolean);
}
