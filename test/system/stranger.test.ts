import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { loadPageFiles } from '../../display/page-files.ts';
import { startPageServer } from '../../display/page-server.ts';
import { ScreenDoor } from '../../display/pairing/door.ts';
import { ScreenFile } from '../../edge/kitchen/screen-file.ts';
import { openAdminPort } from '../../telemetry/admin-port.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { PromptIntake } from '../gateway/prompt-intake.ts';
import { startServerOn } from '../gateway/support.ts';
import { whatAStrangerGets } from './stranger.ts';

const logger = createLogger('test', 'silent');
const beyondLoopback = {
  ORDERMESH_HOST: '0.0.0.0',
  ORDERMESH_ADMIN_HOST: '0.0.0.0',
  ORDERMESH_ADMIN_PORT: '0',
  ORDERMESH_ADMIN_TOKEN: 'a-token-that-no-stranger-has',
  ORDERMESH_ALLOW_SIMULATION: 'on',
};

const portOf = (address = '') => Number(new URL(address.replace(/^grpc/, 'http')).port);

test('beyond loopback a stranger gets health, public documents, and a page that asks for its admission', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-stranger-'));
  await using gateway = await startServerOn(new PromptIntake(), beyondLoopback);
  const screens = new ScreenFile(path.join(directory, 'screens.db'), 'us-il-0001');
  const door = new ScreenDoor({ register: screens, logger, onRemoved() {} });
  const opened: string[] = [];
  const display = await startPageServer({
    host: '0.0.0.0',
    port: 0,
    files: await loadPageFiles(),
    door,
    onOpen: ({ storeId }) => opened.push(storeId ?? 'chain'),
    onMessage() {},
    onClose() {},
    onRefused() {},
  });
  await using admin = await openAdminPort('payment', loadConfig(beyondLoopback), {
    metrics: async () => 'ordermesh_secret_figure 7\n',
    readiness: { database: () => 'db-7.internal does not answer' },
    pages: { '/debug/runtime': async () => ({ contentType: 'text/plain', text: 'orders of guests' }) },
  });
  try {
    expect(
      await whatAStrangerGets({
        intake: [portOf(gateway.url)],
        grpc: portOf(gateway.role.addresses.grpc),
        displays: [display.port],
        loyalty: undefined,
        admin: { gateway: portOf(gateway.admin), payment: portOf(admin.url) },
      }),
    ).toEqual([]);
    expect(opened).toEqual([]);
  } finally {
    display.close();
    await door.close();
    await rm(directory, { recursive: true });
  }
}, 60_000);
