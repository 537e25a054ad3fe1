import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemPython } from '../../stack/bigquery/environment.ts';
import { PromptIntake } from './prompt-intake.ts';
import { HeldIntake, sampleOrder, startServerOn, type TestServer } from './support.ts';

const run = promisify(execFile);
const intake = new PromptIntake();
let directory: string;
let gateway: TestServer;
let token: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordermesh-clients-'));
  gateway = await startServerOn(intake);
  token = (await gateway.bearer()).replace('Bearer ', '');
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** The blocks of code on a page of docs/clients, in one language. */
async function blocks(page: string, language: string): Promise<string[]> {
  const text = await readFile(new URL(`../../docs/clients/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, code = '']) => code);
}

/** The page's code as a file, run with the gateway's address and a token, as a user would. */
async function runPage(command: string, page: string, language: string, extension: string, more = ''): Promise<string> {
  const [code = ''] = await blocks(page, language);
  const file = join(directory, `${language}-${page}.${extension}`);
  await writeFile(file, code + more);
  const env = { ...process.env, URL: gateway.url, TOKEN: token };
  return (await run(command, [file], { env, cwd: directory })).stdout;
}

function lastTaken(): string {
  return intake.taken.at(-1)?.orderId ?? '';
}

test('curl', async () => {
  const [accepted = '', status = ''] = (await runPage('sh', 'curl.md', 'sh', 'sh')).trim().split('\n');
  expect(JSON.parse(accepted)).toEqual({ orderId: lastTaken(), status: 'accepted' });
  expect(JSON.parse(status)).toMatchObject({ orderId: lastTaken(), status: 'accepted' });
});

test('curl, a packed batch', async () => {
  const orders = [sampleOrder(), sampleOrder()];
  await writeFile(join(directory, 'orders.ndjson'), orders.map((order) => `${JSON.stringify(order)}\n`).join(''));
  const [, batch = ''] = await blocks('curl.md', 'sh');
  await writeFile(join(directory, 'batch.sh'), batch);
  const env = { ...process.env, URL: gateway.url, TOKEN: token };
  const { stdout } = await run('sh', ['batch.sh'], { env, cwd: directory });
  expect(JSON.parse(stdout).results.map(({ status }: { status: number }) => status)).toEqual([202, 202]);
});

test('Node', async () => {
  const output = await runPage(process.execPath, 'node.md', 'js', 'mjs');
  expect(output).toContain(lastTaken());
  expect(output).toContain("status: 'accepted'");
});

test('Python', async () => {
  const output = await runPage(await systemPython(), 'python.md', 'python', 'py');
  expect(JSON.parse(output)).toEqual({ orderId: lastTaken(), status: 'accepted' });
});

interface OrderStream {
  socket: WebSocket;
  submit(order: object): Promise<string>;
  close(): void;
}
type OrderStreamClass = new (url: string, getToken: () => Promise<string>) => OrderStream;

async function orderStream(): Promise<OrderStreamClass> {
  const [code = ''] = await blocks('browser.md', 'js');
  const file = join(directory, 'order-stream.mjs');
  await writeFile(file, code);
  return ((await import(pathToFileURL(file).href)) as { OrderStream: OrderStreamClass }).OrderStream;
}

test('the browser’s WebSocket client repeats unanswered orders on a new connection, and every order counts once', async () => {
  const held = new HeldIntake();
  await using server = await startServerOn(held);
  const bearer = (await server.bearer()).replace('Bearer ', '');
  const Client = await orderStream();
  const stream = new Client(server.url.replace('http', 'ws'), async () => bearer);
  const orders = Array.from({ length: 20 }, () => sampleOrder());
  const answers = Promise.all(orders.map((order) => stream.submit(order)));
  await vi.waitFor(() => expect(held.taken).toHaveLength(orders.length));
  // The connection breaks before an answer; the orders become durable nevertheless.
  const broken = stream.socket;
  broken.close();
  await vi.waitFor(() => expect(stream.socket).not.toBe(broken), { timeout: 5_000 });
  await vi.waitFor(() => expect(stream.socket.readyState).toBe(WebSocket.OPEN), { timeout: 5_000 });
  held.settle();
  expect(await answers).toEqual(orders.map(({ orderId }) => orderId));
  expect(held.taken).toHaveLength(orders.length);
  await expect(stream.submit({ ...orders[0], total: 1 })).rejects.toThrow(/other content/);
  stream.close();
});

test('the browser’s WebSocket client continues after 1012 on the new gateway', async () => {
  const held = new HeldIntake();
  const first = await startServerOn(held);
  const port = new URL(first.url).port;
  const Client = await orderStream();
  const tokens = [(await first.bearer()).replace('Bearer ', '')];
  const stream = new Client(first.url.replace('http', 'ws'), async () => tokens.at(-1) ?? '');
  const closes: number[] = [];
  const before = stream.submit(sampleOrder());
  await vi.waitFor(() => expect(held.taken).toHaveLength(1));
  stream.socket.addEventListener('close', ({ code }) => closes.push(code));
  const closed = first.role.close();
  const during = stream.submit(sampleOrder());
  held.settle();
  await before;
  await closed;
  await vi.waitFor(() => expect(closes).toEqual([1012]));
  const second = await startServerOn(intake, { ORDERMESH_GATEWAY_PORT: port });
  tokens.push((await second.bearer()).replace('Bearer ', ''));
  expect(await during).toBe(lastTaken());
  stream.close();
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
});
