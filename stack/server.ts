// The types of a started server and of its supervision. Used by servers.ts and supervised-server.ts.

import type { ServerRecord } from './state.ts';

export interface Server {
  /** Of the process that runs now: a supervised server that ended has another one after its restart. */
  readonly record: ServerRecord;
  /** Ends it, with its own signal by default, and waits until it has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface Supervision {
  /** Lines for people: a server ended and is started again, does not answer, or answers again; each once. */
  say(line: string): void;
  /** What people call a server. */
  title(name: string): string;
  /** A server has another process. */
  onRestart(record: ServerRecord): void;
}

/** One process of a server. */
export interface Instance {
  record: ServerRecord;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Resolves with the reason when it ends, unless it was stopped. */
  ended: Promise<string>;
}
