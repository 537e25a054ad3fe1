import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tableRights } from '../../store/schema/grants.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const statements = /\b(insert into|update|delete from)\s+((?:\w+\.)?\w+)\b([^`;]*)/gi;
/** Written by the owner alone, in `ordermesh migrate`. */
const ofOwner = ['migrations'];

/** The right that a statement needs beside `select`: that of `on conflict do update` shows only when rows collide. */
function rightsFor(verb: string, rest: string): string {
  if (verb !== 'insert into') return verb === 'update' ? 'w' : 'd';
  const [own = ''] = rest.split(/\b(?:insert into|delete from)\b/);
  return own.includes('do update') ? 'aw' : 'a';
}

test('what the code does with a table, a role may do', () => {
  const missing: string[] = [];
  let found = 0;
  for (const file of globSync('{store,actors,bridge,region,display,gateway,runtime}/**/*.ts', { cwd: root })) {
    for (const [, verb = '', table = '', rest = ''] of readFileSync(root + file, 'utf8').matchAll(statements)) {
      const rights = tableRights[table];
      if (rights === undefined || ofOwner.includes(table)) continue;
      found++;
      const granted = Object.values(rights).join('');
      for (const right of rightsFor(verb.toLowerCase(), rest))
        if (!granted.includes(right)) missing.push(`${file}: ${verb} ${table} needs ${right}`);
    }
  }
  expect(missing).toEqual([]);
  expect(found).toBeGreaterThan(30);
});
