// Reports messages that wait long. Used by slot-outages.ts.

import type { HeldMessage } from '../wire/slot-protocol.ts';
import type { EnginePorts } from './engine-ports.ts';
import type { Mailbox } from './mailbox.ts';
import type { MessageEntry } from './message-entry.ts';

/** Changes are gathered for this long and reported together. */
const REPORT_MS = 250;

/**
 * The messages of one slot that have waited long for something outside. Each holds its partition's frontier while other messages go on, so
 * no other check would show it. Reports to the main thread how many there are and which one waits longest.
 */
export class HeldMessages {
  readonly #ports: Pick<EnginePorts, 'timers' | 'report'>;
  readonly #held = new Map<MessageEntry, { reason: string; since: number }>();
  #reportDue = false;

  constructor(ports: Pick<EnginePorts, 'timers' | 'report'>) {
    this.#ports = ports;
  }

  note(entry: MessageEntry, since: number, reason: string): void {
    if (entry.mailbox.state === 'closed') return;
    const known = this.#held.get(entry);
    if (known?.reason === reason) return;
    this.#held.set(entry, { reason, since: known?.since ?? since });
    this.#changed();
  }

  clear(entry: MessageEntry): void {
    if (this.#held.size > 0 && this.#held.delete(entry)) this.#changed();
  }

  /** The partition is given up; its next owner will notice by itself. */
  forget(mailbox: Mailbox<MessageEntry>): void {
    for (const entry of this.#held.keys()) if (entry.mailbox === mailbox) this.clear(entry);
  }

  #changed(): void {
    if (this.#reportDue) return;
    this.#reportDue = true;
    this.#ports.timers.after(REPORT_MS, () => {
      this.#reportDue = false;
      this.#ports.report({ kind: 'held', count: this.#held.size, longest: this.#longest() });
    });
  }

  #longest(): HeldMessage | undefined {
    let longest: [MessageEntry, { reason: string; since: number }] | undefined;
    for (const held of this.#held) if (longest === undefined || held[1].since < longest[1].since) longest = held;
    if (longest === undefined) return undefined;
    const [{ partition, offset, key }, { reason, since }] = longest;
    return { partition, offset, key, reason, since };
  }
}
