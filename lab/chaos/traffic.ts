// Sends orders and cooks them during a chaos run, and notes each answer in a file. Called by main.ts.

import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Config } from '../../contracts/config/config.ts';
import { gatewayOf } from '../../contracts/local-url.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { type CrewCommand, startCrew } from '../crew.ts';
import { createTraffic } from '../traffic/generator.ts';
import { runOpenLoop } from '../traffic/open-loop.ts';
import { createRandom } from '../traffic/random.ts';
import { createSender, type OutgoingOrder, type SendReport } from '../traffic/sender.ts';
import type { SentOrder } from './checker/history.ts';

/** One line of the file in which the load generator notes what it sent and what it was answered. */
export type SentLine = ({ what: 'order' } & SentOrder) | ({ what: 'command' } & CrewCommand);

export interface TrafficOptions {
  config: Config;
  display: URL;
  seed: number;
  /** Orders a second on average. */
  rate: number;
  /** Where the lines go. */
  file: string;
}

export interface RunningTraffic {
  /** Sends no new orders; resolves when every order in flight has its final answer. */
  finish(): Promise<SendReport>;
  /** Stops the crew and completes the file. */
  close(): Promise<void>;
  /** Orders answered 202 so far. */
  readonly accepted: number;
}

/** Cooks as fast as tickets come, so that every order gets to its end within the run. */
const COOKING_MS = [100, 1_000] as const;
/** After an outage there are far more tickets than one page shows. */
const REFRESH_MS = 200;
/** This share of cooked orders comes back and is cooked again: a key's records in the log then follow each other over a longer time. */
const RECALL_SHARE = 0.1;
/** This share of accepted orders is sent once more, as a point of sale does that has lost the answer. */
const REPEAT_SHARE = 0.03;
/** Outages of the run are shorter. */
const GIVE_UP_MS = 150_000;

/** The simulated chain at the gateway, and its crew at the display. */
export function startTraffic({ config, display, seed, rate, file }: TrafficOptions): RunningTraffic {
  const lines = createWriteStream(file);
  const random = createRandom(seed + 1);
  const stop = new AbortController();
  const sentAt = new Map<OutgoingOrder, number>();
  const repeats: Promise<void>[] = [];
  const sender = createSender({
    gateway: gatewayOf(config),
    token: storeTokens(config),
    giveUpAfterMs: GIVE_UP_MS,
    onResult({ order, status, orderId = '', attempts }) {
      write(lines, {
        what: 'order',
        orderId,
        sentAt: sentAt.get(order) ?? 0,
        answeredAt: Date.now(),
        status,
        attempts,
      });
      const again = !stop.signal.aborted && status === 202 && random.chance(REPEAT_SHARE);
      if (again) repeats.push(sender.submit(noted({ ...order })));
    },
  });
  const noted = (order: OutgoingOrder) => {
    sentAt.set(order, Date.now());
    return order;
  };
  const crew = startCrew({
    display,
    cookingMs: COOKING_MS,
    recallShare: RECALL_SHARE,
    refreshMs: REFRESH_MS,
    random: createRandom(seed + 2),
    onCommand: (command: CrewCommand) => write(lines, { what: 'command', ...command }),
  });
  const running = runOpenLoop({
    traffic: createTraffic({ seed, realistic: true }),
    // The open loop makes the order objects; each is noted as it goes out.
    sender: { ...sender, submit: (order, dueAtMs) => sender.submit(noted(order), dueAtMs) },
    ratePerSecond: rate,
    signal: stop.signal,
  });
  // `finish` awaits the same promise and throws a failure.
  running.catch(() => {});
  return {
    get accepted() {
      return sender.report().accepted;
    },
    async finish() {
      stop.abort();
      await running;
      await Promise.all(repeats);
      await sender.settle();
      return sender.report();
    },
    async close() {
      crew.close();
      sender.close();
      lines.end();
      await finished(lines);
    },
  };
}

function write(lines: WriteStream, line: SentLine): void {
  lines.write(`${JSON.stringify(line)}\n`);
}
