// The tills of the fleet's restaurants: they know both gateways. Started by main.ts.

import type { Config } from '../../contracts/config/config.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { createTraffic } from '../traffic/generator.ts';
import { runOpenLoop } from '../traffic/open-loop.ts';
import { createSender, type SendReport } from '../traffic/sender.ts';
import { gatewayUrls } from './topology.ts';

/** Outages of the run are shorter. */
const GIVE_UP_MS = 180_000;
/** A till does not wait longer for one gateway while it knows another. */
const ANSWER_MS_MAX = 10_000;
/** Enough that the orders which wait for a gateway that is gone find out soon. */
const CONNECTIONS = 64;

export interface Tills {
  /** Orders that were answered 202. */
  readonly promised: ReadonlySet<string>;
  /** Sends no new orders; resolves when every order in flight has its final answer. */
  finish(): Promise<SendReport[]>;
}

/** Half of the tills begin with the first gateway, half with the second; each goes to the other one when its own does not answer. */
export function startTills(options: { config: Config; seed: number; rate: number; say(line: string): void }): Tills {
  const { config, seed, rate, say } = options;
  const promised = new Set<string>();
  /** Each kind of answer that is no 202, once. */
  const told = new Set<string>();
  const stop = new AbortController();
  const groups = [gatewayUrls, gatewayUrls.toReversed()].map((gateways, index) => {
    const sender = createSender({
      gateway: gateways,
      token: storeTokens(config),
      connections: CONNECTIONS,
      giveUpAfterMs: GIVE_UP_MS,
      answerMsMax: ANSWER_MS_MAX,
      onAttempt(status, detail) {
        if (status === 202) return;
        const kind = `${status} ${/"code":"([^"]+)"/.exec(detail)?.[1] ?? detail}`;
        if (!told.has(kind)) say(`    a till is answered ${kind}${status === 0 ? '' : `: ${detail}`}`);
        told.add(kind);
      },
      onResult({ status, orderId }) {
        if (status === 202 && orderId !== undefined) promised.add(orderId);
      },
    });
    const traffic = createTraffic({ seed: seed + index, realistic: true });
    const running = runOpenLoop({ traffic, sender, ratePerSecond: rate / 2, signal: stop.signal });
    // `finish` awaits the same promise and throws a failure.
    running.catch(() => {});
    return { sender, running };
  });
  return {
    promised,
    async finish() {
      stop.abort();
      const reports: SendReport[] = [];
      for (const { sender, running } of groups) {
        await running;
        await sender.settle();
        reports.push(sender.report());
        sender.close();
      }
      return reports;
    },
  };
}
