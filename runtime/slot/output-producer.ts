import { faultOf } from '../outage.ts';
import type { EnginePorts } from './engine-ports.ts';
import type { MessageEntry } from './message-entry.ts';
import type { SlotOutages } from './slot-outages.ts';

/** What becomes of a message when its outputs are answered. */
export interface OutputHooks {
  produced(entry: MessageEntry): void;
  failed(entry: MessageEntry, error: unknown): void;
}

/** Appends the outputs of messages whose effects are written, for as long as an outage takes. */
export class OutputProducer {
  readonly #ports: Pick<EnginePorts, 'append' | 'timers'>;
  readonly #outages: SlotOutages;
  readonly #hooks: OutputHooks;

  constructor(ports: Pick<EnginePorts, 'append' | 'timers'>, outages: SlotOutages, hooks: OutputHooks) {
    this.#ports = ports;
    this.#outages = outages;
    this.#hooks = hooks;
  }

  /** All outputs of a message, again if one of them failed: readers know a repeated output by its event id. */
  produce(entry: MessageEntry): void {
    if (entry.mailbox.state === 'closed') return;
    const outputs = entry.outputs ?? [];
    let unanswered = outputs.length;
    let failure: Error | null = null;
    const done = (error: Error | null) => {
      failure ??= error;
      if (--unanswered > 0) return;
      if (failure === null) {
        this.#outages.recovered('broker');
        this.#outages.through(entry, 'broker');
        this.#hooks.produced(entry);
      } else if (faultOf(failure) === 'message') this.#hooks.failed(entry, failure);
      else this.#ports.timers.after(this.#outages.failed('broker', failure, { entry }), () => this.produce(entry));
    };
    for (const record of outputs) this.#ports.append(record, done);
  }
}
