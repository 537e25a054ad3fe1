import { loadConfig } from '../../contracts/config/config.ts';
import type { Problem } from '../../contracts/errors.ts';
import { linesOf, openInputFile } from '../../contracts/input-file.ts';
import { gatewayOf } from '../../contracts/local-url.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { createSender, pause, type SendReport, type SendResult } from '../../lab/traffic/index.ts';
import { assertGatewayAnswers, GatewayWatch } from '../load/gateway-watch.ts';
import { say } from '../output.ts';

export interface SendOptions {
  gateway?: URL;
  rate?: number;
  store?: string;
  token?: string;
}

const REFUSALS_SHOWN = 20;

/** Sends each line of a file as an order, and says which were refused and why. */
export async function sendLines(file: string, options: SendOptions): Promise<SendReport> {
  const config = loadConfig();
  const input = await open(file);
  const gateway = options.gateway ?? gatewayOf(config);
  await assertGatewayAnswers(gateway);
  const watch = new GatewayWatch();
  let shown = 0;
  const sender = createSender({
    gateway,
    token: options.token === undefined ? storeTokens(config) : () => options.token,
    onAttempt: (status, detail) => watch.attempted(status, detail),
    onResult(result) {
      if (result.status !== 202 && shown++ < REFUSALS_SHOWN) say(refusal(result));
    },
  });
  try {
    const signal = new AbortController().signal;
    let dueAt = performance.now();
    for await (const body of linesOf(input)) {
      const text = body.toString();
      if (text.trim() === '') continue;
      if (options.rate !== undefined) {
        const aheadMs = dueAt - performance.now();
        if (aheadMs > 1) await pause(aheadMs, signal);
        dueAt = Math.max(dueAt, performance.now() - 1_000) + 1_000 / options.rate;
      }
      await sender.submit({ body, ...namesOf(text, options.store ?? '') });
    }
    await sender.settle();
    return sender.report();
  } finally {
    sender.close();
  }
}

async function open(file: string): Promise<NodeJS.ReadableStream> {
  if (file === '-') return process.stdin;
  return openInputFile(file);
}

/** The store whose token an order needs. A line that cannot be read is sent all the same: the gateway says what is wrong with it. */
function namesOf(text: string, otherwise: string): { storeId: string; orderId?: string } {
  try {
    const { storeId, orderId } = JSON.parse(text) as { storeId?: unknown; orderId?: unknown };
    return {
      storeId: typeof storeId === 'string' && storeId !== '' ? storeId : otherwise,
      ...(typeof orderId === 'string' ? { orderId } : {}),
    };
  } catch {
    // No JSON: the gateway says so.
    return { storeId: otherwise };
  }
}

function refusal({ orderId = 'without an orderId', status, detail }: SendResult): string {
  return `order ${orderId}: ${status === 0 ? 'no answer' : status} ${problemDetail(detail)}`;
}

function problemDetail(body: string): string {
  try {
    const { code = '', detail = '', errors = [] } = JSON.parse(body) as Partial<Problem>;
    const fields = errors.map(({ pointer, detail }) => `${pointer} ${detail}`);
    return `${code} ${[detail, ...fields].join('; ')}`.trim();
  } catch {
    // Not a problem document, for example the page of a proxy: its beginning is shown.
    return body.slice(0, 200);
  }
}
