import { stage } from '../../telemetry/stages/stage.ts';
import { faultOf } from '../outage.ts';
import type { EnginePorts } from './engine-ports.ts';
import type { MessageEntry } from './message-entry.ts';
import type { SlotOutages } from './slot-outages.ts';

/** What `OutputProducer` tells the engine when all outputs of a message are answered. */
export interface OutputHooks {
  produced(entry: MessageEntry): void;
  failed(entry: MessageEntry, error: unknown): void;
}

/** Appends the outputs of messages whose effects are committed. In an outage of the broker it appends them again until it succeeds. */
export class OutputProducer {
  readonly #ports: Pick<EnginePorts, 'append' | 'timers' | 'stages'>;
  readonly #outages: SlotOutages;
  readonly #hooks: OutputHooks;
  #producing = 0;

  constructor(ports: Pick<EnginePorts, 'append' | 'timers' | 'stages'>, outages: SlotOutages, hooks: OutputHooks) {
    this.#ports = ports;
    this.#outages = outages;
    this.#hooks = hooks;
  }

  /** Messages with outputs that are not durable yet. */
  get producing(): number {
    return this.#producing;
  }

  produce(entry: MessageEntry): void {
    this.#producing++;
    this.#append(entry);
  }

  /** Appends all outputs of the message, also those that succeeded before: a reader knows a repeated output by its event id. */
  #append(entry: MessageEntry): void {
    if (entry.mailbox.state === 'closed') {
      this.#producing--;
      return;
    }
    const outputs = entry.outputs ?? [];
    let unanswered = outputs.length;
    let failure: Error | null = null;
    const done = (error: Error | null) => {
      failure ??= error;
      if (--unanswered > 0) return;
      if (failure !== null && faultOf(failure) !== 'message') {
        this.#ports.timers.after(this.#outages.failed('broker', failure, { entry }), () => this.#append(entry));
        return;
      }
      this.#producing--;
      if (failure === null) {
        this.#outages.recovered('broker');
        this.#outages.through(entry, 'broker');
        this.#hooks.produced(entry);
      } else this.#hooks.failed(entry, failure);
    };
    this.#ports.stages.at(stage.produce);
    for (const record of outputs) this.#ports.append(record, done);
  }
}
