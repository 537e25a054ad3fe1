// What localstripe lacks of Stripe's rules, as a proxy in front of it: idempotency keys, search, periods, refunds of too much, 3-D Secure
// errors, disputes. And faults, for tests.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

type Fault = 'lose-before' | 'lose-after' | 'silent' | { status: number };

interface Intent {
  id: string;
  amount: number;
  status: string;
  created: number;
  metadata: Record<string, string>;
}

export interface StripeRules extends AsyncDisposable {
  url: string;
  /** Meets the next POST. */
  fault(fault: Fault): void;
  /** Cuts every connection until `up`. */
  down(): void;
  up(): void;
  /** As after 24 hours. */
  forgetKeys(): void;
  /** While false, the search finds nothing, as during the first minute. */
  indexed: boolean;
  /** Whether `error_on_requires_action` is followed. */
  authenticationFails: boolean;
  disputes: Record<string, unknown>[];
  /** POSTs that reached Stripe, by path. */
  posts: string[];
  intents(): Promise<Intent[]>;
  refunds(): Promise<{ amount: number; metadata: Record<string, string> }[]>;
}

export async function startStripeRules(upstream: string): Promise<StripeRules> {
  const keys = new Map<string, { request: string; answer: Answer | undefined }>();
  const faults: Fault[] = [];
  let isDown = false;

  const forward = async (method: string, path: string, form?: string): Promise<Answer> => {
    const headers = { authorization: 'Bearer sk_test_local', 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(upstream + path, { method, headers, ...(form === undefined ? {} : { body: form }) });
    return { status: answer.status, body: (await answer.json()) as Answer['body'] };
  };
  const list = async <T>(path: string) => (await forward('GET', `${path}?limit=100000`)).body.data as T[];
  const refused = (message: string, more = {}, status = 400): Answer => ({
    status,
    body: { error: { type: 'invalid_request_error', message, ...more } },
  });

  async function post(path: string, form: URLSearchParams): Promise<Answer> {
    const failsOnAction = form.get('error_on_requires_action') === 'true' && rules.authenticationFails;
    for (const name of [...form.keys()])
      if (/^(error_on_requires_action|allowed_payment_method_types|cancellation_reason)/.test(name)) form.delete(name);
    if (path === '/v1/refunds') {
      const intent = await forward('GET', `/v1/payment_intents/${form.get('payment_intent')}`);
      const before = (await list<{ amount: number; payment_intent: string }>('/v1/refunds')).filter(
        ({ payment_intent }) => payment_intent === form.get('payment_intent'),
      );
      const sum = before.reduce((total, { amount }) => total + amount, Number(form.get('amount')));
      if (sum > Number(intent.body.amount)) return refused('Refund amount is greater than unrefunded amount on charge');
    }
    const answer = await forward('POST', path, form.toString());
    if (path.endsWith('/cancel') && answer.status === 400)
      return refused('This intent can not be canceled.', { code: 'payment_intent_unexpected_state' });
    if (!failsOnAction || answer.body.status !== 'requires_action') return answer;
    await forward('POST', `/v1/payment_intents/${answer.body.id}/cancel`);
    const code = 'authentication_required';
    return refused('This transaction requires authentication.', { type: 'card_error', code, decline_code: code }, 402);
  }

  /** https://docs.stripe.com/api/idempotent_requests */
  async function once_(key: string | undefined, path: string, body: string): Promise<Answer> {
    const request = `${path} ${body}`;
    const known = key === undefined ? undefined : keys.get(key);
    if (known !== undefined && known.request !== request)
      return refused('Keys for idempotent requests can only be used with the same parameters', {
        type: 'idempotency_error',
      });
    if (known?.answer !== undefined) return known.answer;
    if (known !== undefined) return refused('Another request with this key is in progress', {}, 409);
    const entry: { request: string; answer: Answer | undefined } = { request, answer: undefined };
    if (key !== undefined) keys.set(key, entry);
    const answer = await post(path, new URLSearchParams(body));
    // What was refused before any work was done leaves no trace.
    if ([400, 401, 404, 409, 429].includes(answer.status) && key !== undefined) keys.delete(key);
    entry.answer = answer;
    return answer;
  }

  async function get(url: URL): Promise<Answer> {
    const { pathname, searchParams } = url;
    if (pathname === '/v1/disputes')
      return { status: 200, body: { object: 'list', has_more: false, data: rules.disputes } };
    if (pathname === '/v1/payment_intents/search') {
      const [, key] = /^metadata\['idempotencyKey'\]:'(.*)'$/.exec(searchParams.get('query') ?? '') ?? [];
      const all = rules.indexed ? await rules.intents() : [];
      const data = all.filter(({ metadata }) => metadata.idempotencyKey?.toLowerCase() === key?.toLowerCase());
      return { status: 200, body: { object: 'search_result', has_more: false, data } };
    }
    const [from, to] = ['gte', 'lt'].map((bound) => Number(searchParams.get(`created[${bound}]`) ?? Number.NaN));
    for (const name of [...searchParams.keys()]) if (name.startsWith('created[')) searchParams.delete(name);
    const answer = await forward('GET', `${pathname}?${searchParams}`);
    const { data } = answer.body;
    if (Number.isNaN(from ?? Number.NaN) || !Array.isArray(data)) return answer;
    const within = (data as Intent[]).filter(({ created }) => created >= Number(from) && created < Number(to));
    return { ...answer, body: { ...answer.body, data: within } };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://stripe');
    const isPost = request.method === 'POST';
    const fault = isPost ? faults.shift() : undefined;
    if (isDown || fault === 'lose-before') return void response.destroy();
    if (fault === 'silent') return;
    if (typeof fault === 'object') return send(response, refused('a fault', { type: 'api_error' }, fault.status));
    if (isPost) rules.posts.push(url.pathname);
    const key = request.headers['idempotency-key'] as string | undefined;
    const answer = isPost ? await once_(key, url.pathname, String(Buffer.concat(chunks))) : await get(url);
    if (fault === 'lose-after') return void response.destroy();
    send(response, answer);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const rules: StripeRules = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: (fault) => void faults.push(fault),
    down: () => {
      isDown = true;
    },
    up: () => {
      isDown = false;
    },
    forgetKeys: () => keys.clear(),
    indexed: true,
    authenticationFails: true,
    disputes: [],
    posts: [],
    intents: () => list<Intent>('/v1/payment_intents'),
    refunds: () => list('/v1/refunds'),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return rules;
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_local' });
  response.end(JSON.stringify(body));
}
