// The leader of several gateway processes. Started by `ordermesh gateway` when it is to run more than one process.

import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import type { Config } from '../../contracts/config/config.ts';
import { limits } from '../../contracts/limits.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { portTaken } from '../../telemetry/exclusive-port.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type MetricsSnapshot, mergedScrape, snapshot } from '../../telemetry/metrics.ts';
import { onAdminPort } from '../vitals.ts';
import { MemberProcess, memberEntry } from './member-process.ts';

/** After the drain timeout a member process still flushes and closes its connections for this long; then it is killed. */
const GOODBYE_MS = 10_000;

/** How many processes a configuration asks for. */
export function processesOf(config: Config): number {
  return config.ORDERMESH_GATEWAY_PROCESSES === 0 ? availableParallelism() : config.ORDERMESH_GATEWAY_PROCESSES;
}

export interface RunningCluster extends RunningRole {
  /** The member processes that run now. */
  pids(): number[];
}

/**
 * A cluster: several gateway processes on one port; the kernel spreads the connections over them (SO_REUSEPORT). This process is the leader: it
 * replaces a member process that ends or hangs, shows the metrics of all on one admin port, and stops them together. The gateway is ready when each
 * member process that listens is ready, since the kernel hands connections to each of them, and when the member process that serves gRPC listens.
 * @param entry the program of a member process; tests give another program
 * @throws the error of a member process whose first start fails
 */
export async function startGatewayCluster(
  config: Config,
  logger: Logger,
  entry = memberEntry,
): Promise<RunningCluster> {
  const processes = processesOf(config);
  const port = await freePort(config.ORDERMESH_HOST, config.ORDERMESH_GATEWAY_PORT);
  /** Counters of member processes that have ended. Without them the sums would fall, which looks like a restart of all processes. */
  let past: MetricsSnapshot = [];
  let adding: Promise<void> = Promise.resolve();
  let restarts = 0;
  const members: MemberProcess[] = [];
  const add = (index: number) => {
    const share = { ...shareOf(config, processes), ORDERMESH_GATEWAY_PORT: port };
    const onLost = (last: MetricsSnapshot) => {
      restarts++;
      // One after the other: two member processes may be lost at the same time, and both change `past`.
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

  const own = clusterRegistry(members, processes, () => restarts);
  try {
    // The first member process finds out whether the configuration is valid.
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
      profile: async (seconds, kind) =>
        (await Promise.all(members.map((member) => member.profile(seconds, kind)))).flat(),
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

/** The metrics of the cluster itself, beside those of its member processes. */
function clusterRegistry(members: readonly MemberProcess[], processes: number, restarts: () => number): Registry {
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

/** Bounds that protect the machine's memory are divided between the processes. A store's rate is not: one connection belongs to one process. */
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
  // A word here, although the type declarations of prom-client say a number.
  return ['counter', 'histogram'].includes(String(metric.type));
}

/**
 * The port, or a free port for 0. Opened once without sharing, because a shared port would not show that another program has it; and uSockets
 * cannot share a port that it took with 0.
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
