import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const directory = new URL('../../store/migrations/', import.meta.url);

/** Earlier migrations were made before two releases had to work side by side. */
const FROM = 25;

/** What the previous release may not survive, each with how it is said in SQL. */
const takesAway: [what: string, statement: RegExp][] = [
  [
    'drops something',
    /\bdrop\s+(table|view|materialized|column|constraint|schema|type|sequence|function|default|identity|expression|not\s+null)\b/i,
  ],
  ['drops something', /\balter\s+table\b[^;]*\bdrop\b/i],
  ['drops a unique index', /\bdrop\s+index\b/i],
  ['renames something', /\brename\b/i],
  ['moves something to another schema', /\bset\s+schema\b/i],
  ['tightens a column', /\bset\s+not\s+null\b/i],
  ['changes the type of a column', /\balter\s+(column\s+)?\w+\s+(set\s+data\s+)?type\b/i],
  [
    'adds a constraint to rows of the previous release',
    /\balter\s+table\b[^;]*\badd\s+(constraint|check|unique|primary|foreign|exclude)\b/i,
  ],
  ['deletes rows', /\b(truncate|delete\s+from)\b/i],
];

/** Statements that do nothing to the previous release: what a migration says in comments and texts. */
const bare = (sql: string) => sql.replace(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g, ' ');

/** A column that is added without a default has to take null: the previous release does not fill it. */
function addsRequiredColumn(sql: string): boolean {
  const alterations = sql.split(';').filter((statement) => /\balter\s+table\b/i.test(statement));
  const columns = alterations.flatMap((statement) => statement.split(/\badd\s+(?:column\s+)?/i).slice(1));
  return columns.some((column) => /\bnot\s+null\b/i.test(column) && !/\b(default|generated)\b/i.test(column));
}

function takenAway(sql: string): string[] {
  const text = bare(sql);
  const found = takesAway.filter(([, statement]) => statement.test(text)).map(([what]) => what);
  return [
    ...new Set([
      ...found,
      ...(addsRequiredColumn(text) ? ['adds a column that the previous release does not fill'] : []),
    ]),
  ];
}

test.each([
  ['alter table orders drop column total', 'drops something'],
  ['alter table orders drop total', 'drops something'],
  ['drop table if exists orders', 'drops something'],
  ['alter table orders rename column total to sum', 'renames something'],
  ['alter table orders rename to placed', 'renames something'],
  ['alter table orders alter column total set not null', 'tightens a column'],
  ['alter table orders alter total type integer', 'changes the type of a column'],
  ['alter table orders add column tip integer not null', 'adds a column that the previous release does not fill'],
  ['alter table orders add check (total > 0)', 'adds a constraint to rows of the previous release'],
  ['delete from orders', 'deletes rows'],
])('the rule sees what %s does', (statement, what) => {
  expect(takenAway(`-- about it\n${statement};`)).toEqual([what]);
});

test.each([
  'create table tips (order_id uuid primary key, amount integer not null check (amount > 0))',
  'alter table orders add column tip integer, add column shift integer not null default 1',
  'create index orders_by_tip on orders (tip)',
  "-- rename nothing, drop table nothing\ninsert into notes (text) values ('drop table orders')",
])('the rule lets pass: %s', (statement) => {
  expect(takenAway(statement)).toEqual([]);
});

const migrations = readdirSync(directory).filter((name) => name.endsWith('.sql') && Number.parseInt(name, 10) >= FROM);

test.each(migrations)('%s takes something away only if its name ends in .contract.sql', (name) => {
  if (name.endsWith('.contract.sql')) return;
  const found = takenAway(readFileSync(new URL(name, directory), 'utf8'));
  expect(
    found,
    `${name}: the previous release works beside it (docs/operations/database.md, "Expand and contract")`,
  ).toEqual([]);
});
