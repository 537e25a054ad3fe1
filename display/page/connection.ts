// The page's connection to the server. Created by shell.ts.

import type { ClientMessage, Command, ServerMessage } from '../messages.ts';
import { reloadIfRemoved, removed } from './pairing.ts';

/** The server sends a message at least every 4 seconds; a connection that is silent for this long is dead. */
const SILENCE_MS_MAX = 12_000;
const ANSWER_MS_MAX = 12_000;
const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 5_000;

/** Why a command was not done, in a sentence for the crew. */
export class CommandError extends Error {
  /** The command may have been done: no answer came, or the answer does not say. */
  readonly isUnknown: boolean;

  constructor(sentence: string, isUnknown: boolean) {
    super(sentence);
    this.isUnknown = isUnknown;
  }
}

export interface ConnectionListener {
  onMessage(message: ServerMessage): void;
  onUp(): void;
  /** Called once for each time the line goes down, not for each failed attempt. */
  onDown(): void;
}

interface Waiting {
  resolve(): void;
  reject(error: CommandError): void;
  timer: number;
}

/** A WebSocket that reconnects by itself, with growing, random waits, so that not all screens connect to a restarted server at once. */
export class Connection {
  readonly #url: string;
  readonly #listener: ConnectionListener;
  readonly #waiting = new Map<number, Waiting>();
  #socket: WebSocket | undefined;
  #up = false;
  #isRemoved = false;
  #attempt = 0;
  #nextId = 1;
  #silence: number | undefined;

  constructor(url: string, listener: ConnectionListener) {
    this.#url = url;
    this.#listener = listener;
    this.#open();
  }

  get up(): boolean {
    return this.#up;
  }

  /** Resolves when the server has stored the event, rejects with `CommandError`. */
  command(type: Command['type'], { orderId, round }: { orderId: string; round: number }): Promise<void> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (!this.#send({ id, type, orderId, round })) return reject(new CommandError('No connection', false));
      const timer = setTimeout(
        () => this.#answer(id, new CommandError('No answer from the server', true)),
        ANSWER_MS_MAX,
      );
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }

  refresh(): void {
    this.#send({ type: 'refresh' });
  }

  #send(message: ClientMessage): boolean {
    if (!this.#up || this.#socket === undefined) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #open(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#listenForSilence();
    socket.onmessage = ({ data }) => {
      this.#listenForSilence();
      if (!this.#up) {
        this.#up = true;
        this.#attempt = 0;
        this.#listener.onUp();
      }
      try {
        this.#receive(JSON.parse(data) as ServerMessage);
      } catch (error) {
        // A change is lost with this message; the snapshot of a new connection has it.
        console.error('a message of the server could not be shown', error);
        socket.close();
        this.#lost(socket);
      }
    };
    socket.onclose = () => this.#lost(socket);
  }

  #receive(message: ServerMessage): void {
    if (message.type === 'removed') {
      this.#isRemoved = true;
      removed();
    } else if (message.type === 'done') this.#answer(message.id);
    else if (message.type === 'error' && message.id !== null) {
      const { detail, code } = message.problem;
      this.#answer(message.id, new CommandError(detail, code === 'command-unconfirmed'));
    } else this.#listener.onMessage(message);
  }

  #answer(id: number, error?: CommandError): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve();
    else waiting.reject(error);
  }

  #listenForSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      // A dead connection can take minutes to close, so do not wait for the close.
      const socket = this.#socket;
      socket?.close();
      if (socket !== undefined) this.#lost(socket);
    }, SILENCE_MS_MAX);
  }

  #lost(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    clearTimeout(this.#silence);
    for (const id of [...this.#waiting.keys()])
      this.#answer(id, new CommandError('Connection lost before the answer came', true));
    const wasUp = this.#up;
    if (wasUp) {
      this.#up = false;
      this.#listener.onDown();
    }
    // The page is being loaded again.
    if (this.#isRemoved) return;
    // A browser does not say why a socket was refused.
    if (!wasUp) void reloadIfRemoved();
    const ceiling = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** this.#attempt++);
    setTimeout(() => this.#open(), ceiling * (0.5 + Math.random() / 2));
  }
}
