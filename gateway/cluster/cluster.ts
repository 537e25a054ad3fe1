import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import type { Config } from '../../contracts/config.ts';
import { limits } from '../../contracts/limits.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { portTaken } from '../../telemetry/exclusive-port.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type MetricsSnapshot, mergedScrape, snapshot } from '../../telemetry/metrics.ts';
import { onAdminPort } from '../vitals.ts';
import { MemberProcess, memberEntry } from './member-process.ts';

/** After the drain timeout a member still flushes and says goodbye; then it is killed. */
const GOODBYE_MS = 10_000;

/** How many processes a configuration asks for. */
export function processesOf(config: Config): number {
  return config.ORDERMESH_GATEWAY_PROCESSES === 0 ? availableParallelism() : config.ORDERMESH_GATEWAY_PROCESSES;
}

/** `pids`: the processes that run now. */
export interface RunningGroup extends RunningRole {
  pids(): number[];
}

/**
 * A gateway of several processes on one port: the kernel spreads the connections over them (SO_REUSEPORT). This process leads them: it
 * replaces a process that ends or hangs, shows the metrics of all on one admin port, and stops them together. The gateway is ready when each process that
 * listens is ready, since the kernel hands connections to each of them, and when the process that serves gRPC listens.
 * @param entry the program of a member; tests give another program
 * @throws the member's own error when its first start fails
 */
export async function startGatewayGroup(config: Config, logger: Logger, entry = memberEntry): Promise<RunningGroup> {
  const processes = processesOf(config);
  const port = await freePort(config.ORDERMESH_HOST, config.ORDERMESH_GATEWAY_PORT);
  /** What members counted that have ended: a sum that falls would look like a restart of all of them. */
  let past: MetricsSnapshot = [];
  let adding: Promise<void> = Promise.resolve();
  let restarts = 0;
  const members: MemberProcess[] = [];
  const add = (index: number) => {
    const share = { ...shareOf(config, processes), ORDERMESH_GATEWAY_PORT: port };
    const onLost = (last: MetricsSnapshot) => {
      restarts += 1;
      // One after the other: of two members that are lost together, each adds to what the other left.
      adding = adding
        .then(async () => {
          past = await merged([past, last.filter(isCumulative)]);
        })
        .catch((error: Error) => logger.error({ err: error }, 'what a lost process counted could not be added'));
    };
    const member = new MemberProcess({ index, config: share, opensGrpc: index === 0, logger, entry, onLost });
    members.push(member);
    return member.start();
  };
  const stopAll = () => Promise.all(members.map((member) => member.stop(config.ORDERMESH_DRAIN_TIMEOUT + GOODBYE_MS)));

  const own = groupRegistry(members, processes, () => restarts);
  try {
    // The first one finds out whether the configuration holds.
    const addresses = await add(0);
    await Promise.all(Array.from({ length: processes - 1 }, (_, n) => add(n + 1)));
    const all = async () => {
      await adding;
      return merged([past, await snapshot(own), ...(await Promise.all(members.map((member) => member.snapshot())))]);
    };
    const shown = await onAdminPort(
      config,
      'gateway',
    )({
      snapshot: all,
      scrape: async () => mergedScrape([await all()]),
      profile: async (seconds) => (await Promise.all(members.map((member) => member.profile(seconds)))).flat(),
      readiness: {
        gateway: () => {
          const listening = members.filter(({ started }) => started);
          if (listening.length === 0) return members.find(({ down }) => down)?.down ?? 'no process listens';
          return listening.find(({ reason }) => reason)?.reason;
        },
        // Only the first process serves gRPC; the other processes cannot replace it.
        grpc: () => members[0]?.down,
      },
      // While a process other than the first is down, the kernel hands its connections to the processes that listen.
      remarks: {
        processes: () => members.find(({ down }, index) => index > 0 && down)?.down,
        gateway: () => members.find(({ remark }) => remark)?.remark,
      },
    });
    const pids = () => members.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    logger.info({ processes, pids: pids() }, 'the gateway runs in several processes');
    let closing: Promise<void> | undefined;
    const close = async () => {
      await stopAll();
      await shown.close();
    };
    return {
      pids,
      addresses: { ...addresses, ...shown.addresses },
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** The metrics of the group itself, beside those of its members. */
function groupRegistry(members: readonly MemberProcess[], processes: number, restarts: () => number): Registry {
  const own = new Registry();
  own.setDefaultLabels({ role: 'gateway' });
  const registers = [own];
  new Gauge({
    name: 'ordermesh_gateway_processes',
    help: 'Processes of the gateway that listen and answer.',
    registers,
    collect() {
      this.set(members.filter(({ started, hangs }) => started && !hangs).length);
    },
  });
  new Gauge({
    name: 'ordermesh_gateway_processes_wanted',
    help: 'Processes of the gateway that should listen.',
    registers,
    collect() {
      this.set(processes);
    },
  });
  new Counter({
    name: 'ordermesh_gateway_process_restarts_total',
    help: 'Processes of the gateway that ended unasked.',
    registers,
    collect() {
      this.reset();
      this.inc(restarts());
    },
  });
  return own;
}

/** What is bounded per process for the sake of the machine's memory is shared out; a store's rate is not, since its connection meets one process. */
function shareOf(config: Config, processes: number): Config {
  const part = (whole: number, min: number) => Math.max(min, Math.ceil(whole / processes));
  return {
    ...config,
    ORDERMESH_UNANSWERED_ORDERS_MAX: part(config.ORDERMESH_UNANSWERED_ORDERS_MAX, 1),
    ORDERMESH_UNANSWERED_BYTES_MAX: part(config.ORDERMESH_UNANSWERED_BYTES_MAX, limits.batchBytesMax),
    ORDERMESH_RECENT_ORDERS_MAX: part(config.ORDERMESH_RECENT_ORDERS_MAX, 2),
  };
}

async function merged(snapshots: MetricsSnapshot[]): Promise<MetricsSnapshot> {
  return snapshot(AggregatorRegistry.aggregate(snapshots.filter(({ length }) => length > 0)));
}

function isCumulative(metric: MetricsSnapshot[number]): boolean {
  // prom-client names the type in words here, whatever its typings say.
  return ['counter', 'histogram'].includes(String(metric.type));
}

/**
 * The port, or a free one for 0. Members share it with whoever else does, so it is asked for alone first; and uSockets shares no port
 * that it took from the system itself.
 */
function freePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => reject(portTaken(host, port, 'ORDERMESH_GATEWAY_PORT')));
    probe.listen({ host, port, exclusive: true }, () => {
      const { port: free } = probe.address() as AddressInfo;
      probe.close(() => resolve(free));
    });
  });
}
