import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';
import type { Forwarder } from './forwarder/forwarder.ts';
import type { HeldOrder } from './forwarder/held-orders.ts';
import type { LineView } from './forwarder/line-state.ts';
import type { SpoolClient } from './spool/client.ts';
import type { SpoolCounts } from './spool/order.ts';
import { SpoolFullError } from './spool/spool.ts';

/** The state of the agent, as in `/status.json` on its admin port and in `ordermesh edge status --json`. */
export interface EdgeStatus {
  /** `silent`: a process holds the admin port and does not answer. */
  agent: 'running' | 'stopped' | 'silent';
  /** `null` while the agent is stopped or silent. */
  line: LineView | null;
  spool: SpoolCounts & { path: string };
  /** Absent while the disk of the spool answers and takes what is written. */
  diskTrouble?: string;
  /** Orders that fail alone at the region; each is tried again from time to time. */
  heldBack: HeldOrder[];
}

const REFRESH_MS = 1_000;
/** A busy disk may take this long. */
const SILENT_MS = 5_000;
/** Each round is a transaction of its own, so that orders can be written between them. */
const PRUNE_ROUNDS = 10;

/**
 * Reads the counts of the spool once a second, and drops orders that are older than the replay window. Status pages and metrics get the known counts, so
 * their requests do not load the disk.
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
  /** The last error of the spool, until a write succeeds again. */
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

  /** At most a second old. */
  get known(): EdgeStatus {
    return {
      agent: 'running',
      line: this.#forwarder.line,
      spool: { path: this.#path, ...this.#counts },
      ...(this.trouble === undefined ? {} : { diskTrouble: this.trouble }),
      heldBack: this.#forwarder.held,
    };
  }

  /** Why orders are refused; `undefined` while they are taken. */
  get refusal(): string | undefined {
    return this.#counts.full ?? this.trouble;
  }

  /** The spool has kept an order (`null`), or has answered with this error. */
  wrote(error: Error | null): void {
    if (error instanceof SpoolFullError) return;
    this.#failing = error?.message;
    if (error !== null) this.#judge();
  }

  /** Why the spool does not work: it does not answer, or its last write failed. */
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
      // Counting only reads, so it does not show whether writes work again. Without the probe an agent that gets no orders would never recover.
      if (this.#failing !== undefined) {
        await this.#spool.probe();
        this.#failing = undefined;
      }
      this.#counts = await this.#spool.counts();
      for (let round = 0; round < PRUNE_ROUNDS; round++) if ((await this.#spool.prune()) === 0) break;
    } catch (error) {
      // The last counts stay; `trouble` has the error.
      this.#failing = (error as Error).message;
    } finally {
      this.#busy = false;
    }
    this.#judge();
  }

  /** Logs once that orders are refused, and once that they are taken again. */
  #judge(): void {
    const reason = this.refusal;
    if (reason === undefined) this.#states.end('refuses', 'the spool takes orders again');
    else this.#states.begin('refuses', 'the spool takes no orders; they are answered with 503', { reason });
  }
}
