import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const hasStrace = spawnSync('strace', ['-V']).status === 0;

/** After a kill, the kernel still writes its buffers. Only the order of the system calls shows that a power loss would lose nothing. */
test.skipIf(!hasStrace)(
  'has fsynced the log before an order is acknowledged (needs strace)',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'spool-'));
    const trace = join(directory, 'trace');
    const module = new URL('../../edge/spool/client.ts', import.meta.url).href;
    const program = `
    import { writeSync } from 'node:fs';
    import { SpoolClient } from ${JSON.stringify(module)};
    const spool = await SpoolClient.open({
      path: ${JSON.stringify(join(directory, 'spool.db'))}, deadlineMs: 20_000,
      unsentOrdersMax: 100, bytesMax: 2 ** 30, diskFreeMin: 0, replayWindowMs: 1,
    });
    for (let n = 0; n < 5; n++) {
      writeSync(1, 'sent\\n');
      const order = { orderId: 'order-' + n, storeId: 's', lane: 0, content: 'c', acceptedAt: 1, value: Buffer.from('1') };
      await new Promise((resolve) => spool.append(order, resolve));
      writeSync(1, 'acknowledged\\n');
    }
    await spool.close();`;
    try {
      const file = join(directory, 'program.mjs');
      writeFileSync(file, program);
      const node = [process.execPath, file];
      execFileSync('strace', ['-f', '-y', '-e', 'trace=write,fsync,fdatasync', '-o', trace, ...node], {
        timeout: 60_000,
      });
      const steps = readFileSync(trace, 'utf8')
        .split('\n')
        .flatMap(
          (line) => /"(sent|acknowledged)\\n"|(?:fsync|fdatasync)\(\d+<\S*spool\.db-(wal)>/.exec(line)?.slice(1) ?? [],
        )
        .filter((step) => step !== undefined);
      const between = steps.join(' ').split('sent ').slice(1);
      expect(between).toHaveLength(5);
      for (const step of between) expect(step).toMatch(/^wal .*acknowledged/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
  60_000,
);
