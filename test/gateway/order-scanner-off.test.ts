import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../contracts/config/config.ts';
import { PromptIntake } from './prompt-intake.ts';
import { sampleOrder, startServerOn } from './support.ts';

/** Orders that the scanner reads, orders that it leaves to the general way, and orders that are refused. */
function bodies(): string[] {
  const order = sampleOrder();
  const { orderId: _, ...anonymous } = sampleOrder();
  const text = JSON.stringify(sampleOrder());
  const other = (changes: object) => JSON.stringify({ ...sampleOrder(), ...changes });
  return [
    JSON.stringify(order),
    JSON.stringify(order),
    JSON.stringify({ ...order, total: 1 }),
    JSON.stringify(sampleOrder(), undefined, 2),
    JSON.stringify(anonymous),
    other({ customerId: 'c-é' }),
    other({ placedAt: '2026-11-22T11:00:00.000+01:00' }),
    other({ total: -1 }),
    other({ payment: { method: 'card' } }),
    other({ more: 1 }),
    other({ storeId: 'us-ny-0002' }),
    text.replace('{', '{"total":1,'),
    text.slice(0, -1),
    '[]',
    '',
  ];
}

test('without the scanner the gateway accepts and refuses the same orders', async () => {
  const sent = bodies();
  const outcomes = async (ORDERMESH_ORDER_SCANNER: string) => {
    const intake = new PromptIntake();
    await using server = await startServerOn(intake, { ORDERMESH_ORDER_SCANNER });
    const answers = [];
    for (const body of sent) {
      const { status, body: answer } = await server.post(body);
      answers.push({ status, code: answer.code, detail: answer.detail, errors: answer.errors });
    }
    const logged = intake.taken.map(({ value }) => value.toString().replace(/^\{"orderId":"[^"]+"/, '{"orderId":""'));
    return { answers, logged, decoded: intake.taken.map(({ order }) => order !== undefined) };
  };
  const on = await outcomes('on');
  const off = await outcomes('off');
  expect(off.answers).toEqual(on.answers);
  expect(off.logged).toEqual(on.logged);
  expect(new Set(on.answers.map(({ status }) => status))).toEqual(new Set([202, 400, 403, 409, 422]));
  // The proof that the switch does something: the intake gets a decoded order where the scanner did not read it.
  expect(on.decoded).toContain(false);
  expect(off.decoded).not.toContain(false);
});

test('the switch takes on or off, and is on by default', () => {
  expect(loadConfig({}).ORDERMESH_ORDER_SCANNER).toBe(true);
  expect(loadConfig({ ORDERMESH_ORDER_SCANNER: 'off' }).ORDERMESH_ORDER_SCANNER).toBe(false);
  expect(() => loadConfig({ ORDERMESH_ORDER_SCANNER: 'sometimes' })).toThrow(ConfigError);
});
