import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startOrdermesh } from '../support/ordermesh.ts';
import { freePorts } from './free-ports.ts';

const TIMEOUT_MS = 240_000;
/** Gateway (two), display, loyalty, and an admin port for each role from the fifth on. */
const PORTS = 13;

test('a worker killed in the middle of a smoke run loses, doubles and overtakes nothing', {
  timeout: TIMEOUT_MS,
}, async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'ordermesh-smoke-'));
  const port = await freePorts(PORTS);
  const smoke = startOrdermesh(['smoke', '--rate', '20', '--seconds', '10', '--seed', '7'], {
    ORDERMESH_DATA_DIR: dataDir,
    ORDERMESH_GATEWAY_PORT: String(port),
    ORDERMESH_DISPLAY_PORT: String(port + 1),
    ORDERMESH_LOYALTY_PORT: String(port + 2),
    ORDERMESH_GRPC_PORT: String(port + 3),
    ORDERMESH_ADMIN_PORT: String(port + 4),
  });
  try {
    const lines: string[] = [];
    let killed = false;
    let errors = '';
    smoke.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    for await (const line of createInterface({ input: smoke.stdout })) {
      lines.push(line);
      if (!killed && line.startsWith('sending')) {
        // As the orders begin to flow, so that the rest of the run goes through the takeover.
        process.kill(await childOf(smoke.pid, 'worker order-validator'), 'SIGKILL');
        killed = true;
      }
    }
    const counts = JSON.parse(lines.at(-1) ?? '') as Record<string, number>;
    expect(killed, errors).toBe(true);
    expect(lines.join('\n')).toContain('order-validator was started again 1 times');
    expect(counts, errors).toMatchObject({ inFlight: 0, lost: 0, duplicateEffects: 0, outOfOrder: 0 });
    expect(counts.accepted).toBeGreaterThan(190);
    expect(counts.cooked).toBe(counts.paid);
    expect(counts.accepted).toBe((counts.validated ?? 0) + (counts.rejected ?? 0) + (counts.parked ?? 0));
    expect(Object.keys(counts)).toEqual([
      'accepted',
      'validated',
      'rejected',
      'parked',
      'paid',
      'paymentFailed',
      'cooked',
      'bridged',
      'warehouse',
      'inFlight',
      'lost',
      'duplicateEffects',
      'outOfOrder',
    ]);
  } finally {
    if (smoke.exitCode === null) {
      const ended = new Promise((resolve) => smoke.once('exit', resolve));
      smoke.kill('SIGTERM');
      await ended;
    }
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  }
});

/** Process id of the child whose command line ends like that. */
async function childOf(parent: number | undefined, command: string): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args=']);
  for (const line of stdout.split('\n')) {
    const [, pid, ppid] = /^\s*(\d+)\s+(\d+)\s/.exec(line) ?? [];
    if (Number(ppid) === parent && line.trimEnd().endsWith(command)) return Number(pid);
  }
  throw new Error(`no child process runs ${command}`);
}
