import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { PromptIntake } from './prompt-intake.ts';
import { opcode, RawWebSocket } from './raw-websocket.ts';
import { sampleOrder, startServerOn, type TestServer } from './support.ts';

let gateway: TestServer;
beforeAll(async () => {
  gateway = await startServerOn(new PromptIntake(), { ORDERMESH_STREAM_IDLE_TIMEOUT: '8s' });
});
afterAll(() => gateway[Symbol.asyncDispose]());

test('a silent client is pinged; one that answers stays, one that does not is closed', async () => {
  const headers = { authorization: await gateway.bearer() };
  using alive = new RawWebSocket(gateway.url, 'ordermesh.v1.json', { headers });
  using dead = new RawWebSocket(gateway.url, 'ordermesh.v1.json', { headers });
  await Promise.all([alive.head, dead.head]);
  const pings = (client: RawWebSocket) => client.frames.filter((frame) => frame.opcode === opcode.ping);
  const answering = setInterval(() => {
    while (answered < pings(alive).length) {
      alive.send(opcode.pong, pings(alive)[answered]?.payload ?? '');
      answered++;
    }
  }, 50);
  let answered = 0;
  await dead.closed;
  expect(pings(dead)).toHaveLength(1);
  // It stays open for one more round than the other.
  await vi.waitFor(() => expect(answered).toBeGreaterThanOrEqual(2), { timeout: 20_000 });
  alive.submit(1, sampleOrder());
  await vi.waitFor(() => expect(alive.messages).toMatchObject([{ id: 1, type: 'order.accepted' }]));
  clearInterval(answering);
});

test('a ping of the client is answered with its payload', async () => {
  using client = new RawWebSocket(gateway.url, 'ordermesh.v1.json', {
    headers: { authorization: await gateway.bearer() },
  });
  await client.head;
  client.send(opcode.ping, 'are you there');
  await vi.waitFor(() => expect(client.frames).toHaveLength(1));
  expect(client.frames[0]).toEqual({ opcode: opcode.pong, payload: Buffer.from('are you there') });
});
