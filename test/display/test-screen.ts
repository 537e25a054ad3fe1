import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { vi } from 'vitest';
import type { Command, ServerMessage, TicketView } from '../../display/messages.ts';

type Answer = { type: 'done' } | { type: 'error'; problem: { code: string; detail: string } };
type ErrorMessage = Extract<ServerMessage, { type: 'error' }>;

const waiting = { timeout: 20_000, interval: 10 };

/** A page without a browser: keeps the latest view of every ticket it was told of. */
export class TestScreen implements AsyncDisposable {
  readonly messages: ServerMessage[] = [];
  readonly tickets = new Map<string, TicketView>();
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #errorsRead = 0;
  #nextId = 1;
  closed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)) as ServerMessage);
    socket.onclose = () => {
      this.closed = true;
    };
  }

  /** Resolves with the first message, the snapshot. @throws naming the HTTP status when the server refuses. */
  static async open(url: string, storeId?: string, headers: Record<string, string> = {}): Promise<TestScreen> {
    const address = new URL('/live', url);
    if (storeId !== undefined) address.searchParams.set('store', storeId);
    (await handshake(address, headers)).destroy();
    address.protocol = 'ws:';
    // Node's WebSocket takes headers, which its type does not know.
    const screen = new TestScreen(new WebSocket(address, { headers } as never));
    await vi.waitUntil(() => screen.messages.some(({ type }) => type === 'snapshot'), waiting);
    return screen;
  }

  async ticket(orderId: string, accept: (ticket: TicketView) => boolean = () => true): Promise<TicketView> {
    return await vi.waitUntil(() => {
      const ticket = this.tickets.get(orderId);
      return ticket !== undefined && accept(ticket) && ticket;
    }, waiting);
  }

  command(type: Command['type'], orderId: string, round: number): Promise<Answer> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, type, orderId, round }));
    });
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  /** The next error that does not answer a command of this screen. */
  async nextError(): Promise<ErrorMessage> {
    const index = this.#errorsRead++;
    return await vi.waitUntil(
      () => this.messages.filter((message) => message.type === 'error')[index] as ErrorMessage | undefined,
      waiting,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await vi.waitUntil(() => this.closed, waiting);
  }

  #receive(message: ServerMessage): void {
    if (message.type === 'done') this.#answers.get(message.id)?.({ type: 'done' });
    else if (message.type === 'error' && message.id !== null && this.#answers.has(message.id))
      this.#answers.get(message.id)?.({ type: 'error', problem: message.problem });
    else this.messages.push(message);
    if (message.type === 'snapshot' || message.type === 'tickets')
      for (const ticket of message.tickets) this.tickets.set(ticket.orderId, ticket);
  }
}

/** A screen that connects and then never reads, as behind a dead Wi-Fi link. @returns a function that closes the connection */
export async function openDeafScreen(url: string): Promise<() => void> {
  const socket = await handshake(new URL('/live', url));
  socket.pause();
  return () => socket.destroy();
}

/** A handshake by hand, because Node's WebSocket cannot set headers and does not report the status of a refusal. */
function handshake(url: URL, headers: Record<string, string> = {}): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const attempt = request(url, {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    attempt.on('upgrade', (_response, socket) => {
      socket.on('error', () => {});
      resolve(socket);
    });
    attempt.on('response', (response) => reject(new Error(`refused with ${response.statusCode}`)));
    attempt.on('error', reject);
    attempt.end();
  });
}
