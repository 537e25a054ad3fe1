import { stage } from '../../telemetry/stages/stage.ts';
import type { EnginePorts } from './engine-ports.ts';
import type { Mailbox } from './mailbox.ts';
import type { MessageEntry } from './message-entry.ts';

/**
 * Reports to the main thread how far the partitions of a slot have come: one report for all partitions that moved, after the events at
 * hand.
 */
export class ProgressReporter {
  readonly #ports: Pick<EnginePorts, 'timers' | 'report' | 'stages'>;
  readonly #moved = new Set<Mailbox<MessageEntry>>();
  #due = false;

  constructor(ports: Pick<EnginePorts, 'timers' | 'report' | 'stages'>) {
    this.#ports = ports;
  }

  moved(mailbox: Mailbox<MessageEntry>): void {
    this.#moved.add(mailbox);
    if (this.#due) return;
    this.#due = true;
    this.#ports.timers.soon(() => this.#report());
  }

  forget(mailbox: Mailbox<MessageEntry>): void {
    this.#moved.delete(mailbox);
  }

  #report(): void {
    this.#due = false;
    if (this.#moved.size === 0) return;
    const { stages } = this.#ports;
    const before = stages.enter(stage.schedule);
    const partitions = [...this.#moved].map((mailbox) => {
      const { partition, incarnation, finishedMessages: messages, finishedBytes: bytes, keys } = mailbox;
      mailbox.finishedMessages = 0;
      mailbox.finishedBytes = 0;
      const frontier = mailbox.frontier.position;
      return { partition, incarnation, frontier, messages, bytes, parkedKeys: mailbox.parked.size, keys };
    });
    this.#moved.clear();
    this.#ports.report({ kind: 'progress', partitions });
    stages.leave(before);
  }
}
