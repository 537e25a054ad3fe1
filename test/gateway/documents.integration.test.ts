import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '../../contracts/limits.ts';
import { asyncApi } from '../../gateway/documents/asyncapi.ts';
import { openApi } from '../../gateway/documents/openapi.ts';
import { allowed } from '../../gateway/http/fallback-routes.ts';
import { oneItemMenus } from './menus/one-item-menus.ts';
import { PromptIntake } from './prompt-intake.ts';
import { type Answer, sampleOrder, startServerOn, startTestGateway, storeId, type TestServer } from './support.ts';

interface Operation {
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
type Paths = Record<string, Record<string, Operation>>;

const document = structuredClone(openApi()) as object as { paths: Paths; components: object };

let gateway: TestServer;
let down: TestServer;
beforeAll(async () => {
  gateway = await startServerOn(new PromptIntake(), {}, oneItemMenus);
  down = await startTestGateway({ KAFKA_BROKERS: '127.0.0.1:1', ORDERMESH_PRODUCE_DEADLINE: '500ms' });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await down[Symbol.asyncDispose]();
});

test('the OpenAPI document is valid by the schema of OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(openApi()));
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
});

test('the AsyncAPI document is valid by the schema of AsyncAPI 3', async () => {
  const file = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json');
  const ajv = new Ajv({ strict: false, allErrors: false });
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  const validate = ajv.compile(JSON.parse(await readFile(file, 'utf8')));
  validate(structuredClone(asyncApi()));
  expect(validate.errors ?? []).toEqual([]);
});

test('every route is documented with its methods, and nothing else is', () => {
  const routes = allowed.map(([pattern, methods]) => [
    pattern.replace(/:(\w+)/g, '{$1}'),
    // OPTIONS and HEAD behave as HTTP defines, and are not in the document.
    methods.split(', ').filter((method) => !['OPTIONS', 'HEAD'].includes(method)),
  ]);
  const documented = Object.entries(document.paths).map(([path, operations]) => [
    path,
    Object.keys(operations).map((method) => method.toUpperCase()),
  ]);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(routes));
});

test('each route answers with all documented statuses, in the documented form, and with no other status', async () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'doc', components: document.components });
  const seen = new Map<string, Set<string>>();
  for (const { method, path, answer } of await everyAnswer()) {
    const documented = document.paths[path]?.[method]?.responses[String(answer.status)];
    expect(documented, `${method} ${path} ${answer.status} ${answer.text}`).toBeDefined();
    const type = answer.headers.get('content-type') ?? '';
    if (documented?.content === undefined) expect(answer.text).toBe('');
    const schema = documented?.content === undefined ? {} : documented.content[type]?.schema;
    expect(schema, `${method} ${path} ${answer.status} as ${type}`).toBeDefined();
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components')));
    expect(validate(answer.body), `${answer.text} ${JSON.stringify(validate.errors)}`).toBe(true);
    const key = `${method} ${path}`;
    seen.set(key, (seen.get(key) ?? new Set()).add(String(answer.status)));
  }
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, { responses }] of Object.entries(operations)) {
      // What needs an upgrade is tested with the stream, slow bodies with slow lines.
      const elsewhere = path === '/v1/stream' ? ['101', '401', '403', '503'] : ['408'];
      const statuses = Object.keys(responses).filter((status) => !elsewhere.includes(status));
      expect([...(seen.get(`${method} ${path}`) ?? [])].sort(), `${method} ${path}`).toEqual(statuses.sort());
    }
});

async function everyAnswer(): Promise<{ method: string; path: string; answer: Answer }[]> {
  const order = sampleOrder();
  const large = { ...order, customerId: 'x'.repeat(limits.orderBytesMax) };
  const stranger = { authorization: await gateway.bearer({ store: 'us-ny-0002' }) };
  const noToken = { authorization: '' };
  await using limited = await startServerOn(new PromptIntake(), {
    ORDERMESH_STORE_ORDERS_PER_SECOND: '1',
    ORDERMESH_STORE_READS_PER_SECOND: '1',
    ORDERMESH_RATE_BURST: '1s',
    ORDERMESH_UNANSWERED_BYTES_MAX: '1MiB',
  });
  await limited.post(sampleOrder());
  await gateway.post(order);
  const orders = [
    gateway.post(order),
    gateway.post('{'),
    gateway.post(order, noToken),
    gateway.post(order, stranger),
    gateway.post({ ...order, total: 1 }),
    gateway.post(large),
    gateway.post(order, { 'content-type': 'text/plain' }),
    gateway.post({ ...order, total: 'a' }),
    limited.post(sampleOrder()),
    down.post(sampleOrder()),
  ];
  const ndjson = { 'content-type': 'application/x-ndjson' };
  const batch = (body: string, headers: Record<string, string> = {}) =>
    gateway.call('/v1/orders/batch', { method: 'POST', body, headers: { ...ndjson, ...headers } });
  const line = JSON.stringify(order);
  const batches = [
    batch(`${line}\n{`),
    batch(''),
    batch(line, noToken),
    batch(`${line}\n`.repeat(limits.batchOrdersMax + 1)),
    batch(line, { 'content-type': 'application/json' }),
    // The admission has no room for the unpacked body.
    limited.call('/v1/orders/batch', {
      method: 'POST',
      body: gzipSync(line) as unknown as string,
      headers: { ...ndjson, 'content-encoding': 'gzip' },
    }),
  ];
  const status = (server: TestServer, id: string, headers: Record<string, string> = {}) =>
    server.call(`/v1/orders/${id}`, { headers });
  const statuses = [
    status(gateway, order.orderId),
    status(gateway, order.orderId, noToken),
    status(gateway, crypto.randomUUID()),
    status(down, order.orderId),
    limited.call(`/v1/orders/${order.orderId}`).then(() => status(limited, order.orderId)),
  ];
  const menu = (server: TestServer, headers: Record<string, string> = {}, query = '', store = storeId) =>
    server.call(`/v1/menus/${store}${query}`, { headers });
  const etag = (await menu(gateway)).headers.get('etag') ?? '';
  const nowhere = { authorization: await gateway.bearer({ store: 'us-xx-0009' }) };
  const menuAnswers = [
    menu(gateway),
    menu(gateway, { 'if-none-match': etag }),
    menu(gateway, {}, '?at=now'),
    menu(gateway, noToken),
    menu(gateway, stranger),
    menu(gateway, nowhere, '', 'us-xx-0009'),
    menu(down),
    menu(limited).then(() => menu(limited)),
  ];
  const change = (body: string, headers: Record<string, string> = {}, sku = 'fries', server = gateway) =>
    server.call(`/v1/menus/${storeId}/items/${sku}/availability`, { method: 'PUT', body, headers });
  const out = '{"available":false}';
  const changes = [
    change(out),
    change('{'),
    change(out, noToken),
    change(out, stranger),
    change(out, {}, 'gold'),
    change(out.padEnd(5_000)),
    change(out, { 'content-type': 'text/plain' }),
    change('{}'),
    change(out, {}, 'fries', limited).then(() => change(out, {}, 'fries', limited)),
    change(out, {}, 'fries', down),
  ];
  const named = async (method: string, path: string, answers: Promise<Answer>[]) =>
    (await Promise.all(answers)).map((answer) => ({ method, path, answer }));
  return [
    ...(await named('post', '/v1/orders', orders)),
    ...(await named('post', '/v1/orders/batch', batches)),
    ...(await named('get', '/v1/orders/{orderId}', statuses)),
    ...(await named('get', '/v1/menus/{storeId}', menuAnswers)),
    ...(await named('put', '/v1/menus/{storeId}/items/{sku}/availability', changes)),
    ...(await named('get', '/v1/stream', [gateway.call('/v1/stream')])),
    ...(await named('get', '/openapi.json', [gateway.call('/openapi.json')])),
    ...(await named('get', '/asyncapi.json', [gateway.call('/asyncapi.json')])),
  ];
}
