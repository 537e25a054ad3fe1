import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';
import type { Forwarder } from './forwarder/forwarder.ts';
import type { HeldOrder } from './forwarder/held-orders.ts';
import type { LineView } from './forwarder/line-state.ts';
import type { SpoolClient } from './spool/client.ts';
import type { SpoolCounts } from './spool/order.ts';
import { SpoolFullError } from './spool/spool.ts';

/** How the agent is, as `/status.json` on its admin port and `ordermesh edge status --json` tell it. */
export interface EdgeStatus {
  /** `silent`: something holds its admin port and does not answer. */
  agent: 'running' | 'stopped' | 'silent';
  /** `null` while the agent is stopped or silent. */
  line: LineView | null;
  spool: SpoolCounts & { path: string };
  /** Absent while the disk of the spool answers and takes what is written. */
  diskTrouble?: string;
  /** Orders that alone do not get through to the region and are tried now and then. */
  heldBack: HeldOrder[];
}

const REFRESH_MS = 1_000;
/** A disk that other things keep busy may take a moment. */
const SILENT_MS = 5_000;
/** Each is a transaction of its own, so that orders come in between. */
const PRUNE_ROUNDS = 10;

/**
 * Looks after the spool once a second: reads its counts for everybody who asks, and drops what is older than the replay window. Nobody's
 * question costs the disk anything.
 */
export class StatusKeeper {
  readonly #spool: SpoolClient;
  readonly #path: string;
  readonly #forwarder: Pick<Forwarder, 'line' | 'held'>;
  readonly #states: StateLog;
  readonly #timer: NodeJS.Timeout;
  #counts: SpoolCounts;
  #busy = false;
  #askedAt = performance.now();
  /** The last error of the spool; it stands until something can be written again. */
  #failing: string | undefined;

  constructor(
    spool: SpoolClient,
    path: string,
    forwarder: Pick<Forwarder, 'line' | 'held'>,
    counts: SpoolCounts,
    logger: Logger,
  ) {
    this.#spool = spool;
    this.#path = path;
    this.#forwarder = forwarder;
    this.#counts = counts;
    this.#states = new StateLog(logger);
    this.#timer = setInterval(() => {
      this.#judge();
      void this.#refresh();
    }, REFRESH_MS);
  }

  get counts(): SpoolCounts {
    return this.#counts;
  }

  /** As of now. */
  async read(): Promise<EdgeStatus> {
    await this.#refresh();
    return this.known;
  }

  /** As of a second ago at most. */
  get known(): EdgeStatus {
    return {
      agent: 'running',
      line: this.#forwarder.line,
      spool: { path: this.#path, ...this.#counts },
      ...(this.trouble === undefined ? {} : { diskTrouble: this.trouble }),
      heldBack: this.#forwarder.held,
    };
  }

  /** Why orders are not taken; `undefined` while they are. */
  get refusal(): string | undefined {
    return this.#counts.full ?? this.trouble;
  }

  /** The spool has kept an order, or answered with this error. */
  wrote(error: Error | null): void {
    if (error instanceof SpoolFullError) return;
    this.#failing = error?.message;
    if (error !== null) this.#judge();
  }

  /** Why the spool cannot be relied on: it does not answer, or it answered with an error and nothing could be written since. */
  get trouble(): string | undefined {
    const askedMs = performance.now() - this.#askedAt;
    if (this.#busy && askedMs > SILENT_MS) return `the disk has not answered for ${Math.round(askedMs / 1_000)} s`;
    return this.#failing;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #refresh(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#askedAt = performance.now();
    try {
      // Counting only reads, so it would not see that nothing can be written. Without this an agent that gets no orders would not get well.
      if (this.#failing !== undefined) {
        await this.#spool.probe();
        this.#failing = undefined;
      }
      this.#counts = await this.#spool.counts();
      for (let round = 0; round < PRUNE_ROUNDS; round += 1) if ((await this.#spool.prune()) === 0) break;
    } catch (error) {
      // The last counts stand, and `trouble` says that they do.
      this.#failing = (error as Error).message;
    } finally {
      this.#busy = false;
    }
    this.#judge();
  }

  /** Says once that orders are not taken, and once that they are again. */
  #judge(): void {
    const reason = this.refusal;
    if (reason === undefined) this.#states.end('refuses', 'the spool takes orders again');
    else this.#states.begin('refuses', 'the spool takes no orders; they are answered with 503', { reason });
  }
}
