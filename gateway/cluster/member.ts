// Runs the gateway as one process of a cluster. Forked by member-process.ts.

import { createLogger, type Logger } from '../../telemetry/logger.ts';
import { profileThreads } from '../../telemetry/profiling/profile.ts';
import { startGateway } from '../gateway.ts';
import type { Vitals } from '../vitals.ts';
import type { FromMember, ToMember } from './messages.ts';

/** How often a member process checks whether its readiness has changed. */
const READINESS_MS = 250;

/** The program of a member process. The leader of the cluster forks it and sends its configuration over the channel between them. */
let vitals: Vitals | undefined;
let logger: Logger | undefined;
let close = async (): Promise<void> => {};

function tell(message: FromMember): void {
  // The leader may be gone; then this process is about to end.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

async function start({ config, opensGrpc }: Extract<ToMember, { type: 'start' }>): Promise<void> {
  logger = createLogger('gateway', config.ORDERMESH_LOG_LEVEL);
  const running = await startGateway(config, logger, {
    opensGrpc,
    sharesPort: true,
    showVitals: async (own) => {
      vitals = own;
      return { addresses: {}, close: async () => {} };
    },
  });
  close = running.close;
  tell({ type: 'started', addresses: running.addresses });
  followReadiness();
}

function followReadiness(): void {
  let told: (string | undefined)[] = ['starting'];
  const look = () => {
    const [reason, remark] = [vitals?.readiness, vitals?.remarks].map((checks) => firstOf(checks));
    if (reason === told[0] && remark === told[1]) return;
    told = [reason, remark];
    tell({ type: 'readiness', reason, remark });
  };
  look();
  setInterval(look, READINESS_MS).unref();
}

function firstOf(checks: Vitals['readiness'] = {}): string | undefined {
  return Object.values(checks)
    .map((check) => check())
    .find((text) => text !== undefined);
}

let starting: Promise<void> = Promise.resolve();
let ending = false;

/** Ends the process. Waits for a start in progress, because an unfinished start cannot be closed. */
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await starting;
  await close();
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end());
process.on('disconnect', () => void end());
process.on('message', (message: ToMember) => {
  if (message.type === 'ping') {
    tell({ type: 'pong' });
    return;
  }
  if (message.type === 'snapshot') {
    const { id } = message;
    vitals?.snapshot().then(
      (snapshot) => tell({ type: 'snapshot', id, snapshot }),
      // The leader then uses the last metrics that it has.
      (error: Error) => logger?.error({ err: error }, 'the metrics of this process cannot be read'),
    );
    return;
  }
  if (message.type === 'profile') {
    void profileThreads(message.seconds, message.kind)
      // A profile that fails must not end a process that serves orders.
      .catch((error: Error) => {
        logger?.warn({ err: error }, 'the threads of this process cannot be sampled');
        return [];
      })
      .then((threads) => tell({ type: 'profile', threads }));
    return;
  }
  starting = start(message).catch((error: Error) => {
    process.send?.({ type: 'refused', name: error.name, message: error.message } satisfies FromMember, () =>
      process.exit(1),
    );
    // A start that failed is never closed.
    return new Promise<void>(() => {});
  });
});
