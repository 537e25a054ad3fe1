import { expect, test, vi } from 'vitest';
import { startIntakeServer } from '../../gateway/server.ts';
import type { Activity } from '../../region/activity.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { HeldIntake, sampleOrder, testServer } from '../gateway/support.ts';

class SwitchedActivity implements Activity {
  readonly alone = false;
  readonly state = undefined;
  reason: string | undefined;
  #listeners: (() => void)[] = [];

  passive = () => this.reason;

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  turn(reason: string | undefined): void {
    this.reason = reason;
    for (const listener of this.#listeners) listener();
  }

  async close(): Promise<void> {}
}

const west = 'region west is the active one (epoch 2)';

test('a gateway whose region becomes passive refuses orders, names the active one and lets its clients go', async () => {
  const activity = new SwitchedActivity();
  const intake = new HeldIntake();
  const logger = createLogger('gateway', 'silent');
  await using server = await testServer({ REGION: 'east', ORDERMESH_AUTH: 'off' }, (config) =>
    startIntakeServer({ config, logger, role: 'gateway', intake, activity }),
  );
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/stream`, ['ordermesh.v1.json']);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  const inFlight = server.post(sampleOrder());
  await vi.waitFor(() => expect(intake.unanswered).toBe(1));

  activity.turn(west);
  expect(await closed).toMatchObject({ code: 1012, reason: west });
  const refused = await server.post(sampleOrder());
  expect(refused.body).toMatchObject({ status: 503, code: 'region-passive', detail: west });
  expect(refused.headers.get('retry-after')).toBe('5');
  expect(refused.headers.get('connection')).toBe('close');
  const upgrade = await fetch(`${server.url}/v1/stream`, {
    headers: { 'sec-websocket-protocol': 'ordermesh.v1.json' },
  });
  expect(upgrade.status).not.toBe(101);
  expect((await fetch(`${server.admin}/readyz`)).status).toBe(503);
  // What was taken before is answered.
  intake.settle();
  expect((await inFlight).status).toBe(202);

  activity.turn(undefined);
  const taken = server.post(sampleOrder());
  await vi.waitFor(() => expect(intake.unanswered).toBe(1));
  intake.settle();
  expect((await taken).status).toBe(202);
});
