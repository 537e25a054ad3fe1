import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

test.each([
  ['lab/chaos/main.ts', ['--seed', 'x'], 'the seed is "x"'],
  ['lab/chaos/main.ts', ['--sed', '1'], "Unknown option '--sed'"],
  ['lab/drill/main.ts', ['--help'], 'It takes --seed, --practice'],
  ['lab/fleet/main.ts', ['--hosts', '3'], "Unknown option '--hosts'"],
  [
    'perf/main.ts',
    ['--only', 'gateway,run'],
    '--only names "run"; it takes some of sustained, ticket-latency, pipeline',
  ],
  ['perf/main.ts', ['--backlog', 'many'], '--backlog is "many"; it takes a number of messages'],
  ['perf/isolation/main.ts', ['--rounds', '0'], '--rounds is "0"; it takes a whole number from 1'],
  [
    'perf/isolation/main.ts',
    ['--only', 'pubsub'],
    '--only names "pubsub"; it takes some of pubsub-stopped, pubsub-slow',
  ],
  ['lab/chaos/main.ts', ['--lanes', 'answers,roads'], 'some of processes, brokers, network, database, answers'],
  ['lab/chaos/seeds.ts', ['--count', 'many'], '--count is "many"; it takes a whole number'],
  ['lab/chaos/seeds.ts', ['--busy', 'some'], '--busy is "some"; it takes half, all or none'],
])(
  '%s refuses %j and says what it takes',
  (file, args, said) => {
    const { status, stderr } = spawnSync(process.execPath, [`${root}${file}`, ...args], { encoding: 'utf8' });
    expect(stderr).toContain(said);
    expect(status).toBe(2);
  },
  60_000,
);
