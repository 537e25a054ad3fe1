import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';

const script = fileURLToPath(new URL('./log-writer.ts', import.meta.url));

/** A process whose standard error is a real pipe (`cat` behind it) or, as child processes of Node have it, a socket. */
function start(kind: 'pipe' | 'socket') {
  const node = `'${process.execPath}' '${script}'`;
  // The pipe's reader hands on what it reads, and stands still as soon as this process does not read.
  const piped = `{ { ${node}; echo "ended $?" >&3; } 2>&1 1>&3 | cat >&2; } 3>&1`;
  const child = spawn('sh', ['-c', kind === 'pipe' ? piped : `${node}; echo "ended $?"`]);
  const output = { told: '' };
  child.stdout.on('data', (chunk) => {
    output.told += chunk;
  });
  return {
    child,
    told: (pattern: RegExp) => vi.waitFor(() => expect(output.told).toMatch(pattern), { timeout: 15_000 }),
    /** The program ends with its input. */
    [Symbol.dispose]: () => void child.stdin.end(),
  };
}

const tenTurns = /"turns":10,"dropped":[1-9]/;

test.each(['pipe', 'socket'] as const)(
  'a reader that stands still (%s) does not hold the event loop',
  async (kind) => {
    using writer = start(kind);
    await writer.told(tenTurns);
    let lines = '';
    writer.child.stderr.on('data', (chunk) => {
      lines += chunk;
    });
    // Now the pipe is read: the process logs once how many lines were lost.
    await vi.waitFor(() => expect(lines).toContain('log lines were dropped'), { timeout: 15_000 });
    writer.child.stdin.write('exit');
    await once(writer.child.stderr, 'end');
    const records = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const reports = records.filter(({ msg }) => /log lines were dropped/.test(msg));
    expect(reports).toHaveLength(1);
    expect(records.filter(({ msg }) => msg === 'a line')).toHaveLength(20_000 - reports[0].lines);
    expect(records.at(-1).msg).toBe('the last line');
  },
  30_000,
);

test.each([
  ['exit', 0],
  ['throw', 1],
])(
  'the last lines before the end (%s) are written',
  async (how, code) => {
    using writer = start('socket');
    const lines = text(writer.child.stderr);
    await writer.told(/"turns":2,/);
    writer.child.stdin.write(how);
    await writer.told(new RegExp(`ended ${code}`));
    expect(await lines).toMatch(/"msg":"the last line"/);
  },
  30_000,
);

test.each(['pipe', 'socket'] as const)(
  'a reader that stands still (%s) does not hold the end',
  async (kind) => {
    using writer = start(kind);
    // Long enough for the reader to count as stalled.
    await writer.told(/"turns":30,/);
    writer.child.stdin.write('exit');
    await writer.told(/ended 0/);
  },
  30_000,
);
