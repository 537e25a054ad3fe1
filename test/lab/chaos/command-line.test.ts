import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const room = fileURLToPath(new URL('../../../lab/chaos/', import.meta.url));

test.each([
  ['main.ts', ['--seed', 'x'], 'the seed is "x"'],
  ['main.ts', ['--lanes', 'answers,roads'], 'some of processes, brokers, network, database, answers'],
  ['seeds.ts', ['--count', 'many'], '--count is "many"; it takes a whole number'],
  ['seeds.ts', ['--busy', 'some'], '--busy is "some"; it takes half, all or none'],
])(
  '%s refuses %j and says what it takes',
  (file, args, said) => {
    const { status, stderr } = spawnSync(process.execPath, [`${room}${file}`, ...args], { encoding: 'utf8' });
    expect(stderr).toContain(said);
    expect(status).toBe(2);
  },
  60_000,
);
