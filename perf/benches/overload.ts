// Measures the gateway under more load than it can take. Called by perf/main.ts.

import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type KafkaCluster, plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { topics } from '../../contracts/topics.ts';
import { createAdmin, readTopic } from '../../kafka/index.ts';
import { startGatewayProcess } from '../load/gateway-process.ts';
import { acceptedLoad, httpLoad, type LoadResult } from '../load/http-load.ts';
import { residentBytesDuring } from '../load/resident-bytes.ts';
import type { Figures } from '../report.ts';
import { figure, median, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const GATEWAY_PORT = 18_093;
const PEAK_CONNECTIONS = 256;
const WARM_UP_SECONDS = 3;
/** Of the first overload: the heap grows to what this many clients need. */
const OVERLOAD_WARM_UP_SECONDS = 5;
/** Peaks and overloads are interleaved to cancel drift of the machine. */
const ROUNDS = 3;
const TIMES_CAPACITY = 5;
/** Just enough to keep the log busy; docs/operations/gateway.md says what a larger bound costs. */
const UNANSWERED_ORDERS_MAX = 300;
const CLIENTS = TIMES_CAPACITY * UNANSWERED_ORDERS_MAX;
const ORDER_NUMBER_AT = 24;

interface Overload {
  result: LoadResult;
  /** Orders that were due a second. */
  rate: number;
  /** Resident memory of the gateway in the counted time, in bytes. */
  resident: number[];
  /** Accepted orders a second of the peaks before and after. */
  capacity: number;
  /** Where the numbers of the accepted orders are. */
  acceptedFile: string;
}

/**
 * Five times as many orders as the gateway can take: what it still takes, what that costs it, and whether every 202 was kept.
 * @param overloadSeconds of each overload
 */
export async function benchOverload(bench: Bench, overloadSeconds: number): Promise<Figures> {
  const { env, seconds } = bench;
  const cluster = plainCluster((env.KAFKA_BROKERS ?? '').split(','));
  await using gateway = await startGatewayProcess(bench, GATEWAY_PORT, {
    ORDERMESH_UNANSWERED_ORDERS_MAX: String(UNANSWERED_ORDERS_MAX),
  });
  const load = { url: `${gateway.url}/v1/orders`, token: gateway.token, order: gateway.order };
  const peakSeconds = Math.min(seconds, overloadSeconds / 2);
  const peak = async (counted = peakSeconds) =>
    (await acceptedLoad({ ...load, connections: PEAK_CONNECTIONS, seconds: counted, warmUp: 0.5 })).acceptedPerSecond;
  // Not counted: the hot paths compile.
  await peak(WARM_UP_SECONDS);

  let before = await peak();
  const fromOffsets = await logEnds(cluster);
  const overloads: Overload[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const acceptedFile = path.join(env.ORDERMESH_DATA_DIR ?? '', `accepted-orders-${round}`);
    const rate = TIMES_CAPACITY * before;
    const warmUp = round === 0 ? OVERLOAD_WARM_UP_SECONDS : 1;
    const run = httpLoad({
      ...load,
      connections: CLIENTS,
      warmUp,
      seconds: overloadSeconds,
      rate,
      accepted: acceptedFile,
    });
    const resident = await residentBytesDuring(gateway.child, run);
    const uncounted = warmUp / (warmUp + overloadSeconds);
    const after = await peak();
    overloads.push({
      result: await run,
      rate,
      resident: resident.slice(Math.ceil(resident.length * uncounted)),
      capacity: (before + after) / 2,
      acceptedFile,
    });
    before = after;
  }
  const lost = await ordersLost(overloads, { cluster, fromOffsets });
  for (const { acceptedFile } of overloads) await rm(acceptedFile);

  const offered = Math.round(median(overloads.map(({ rate }) => rate))).toLocaleString('en');
  const refused = Math.round(median(overloads.map(({ result }) => refusedPerSecond(result, overloadSeconds))));
  const resident = overloads.flatMap((overload) => overload.resident);
  const half = resident.length >> 1;
  return {
    gateway_overload_goodput_vs_peak: ratioFigure(
      overloads.map(({ result }) => result.acceptedPerSecond),
      overloads.map(({ capacity }) => capacity),
      `${PEAK_CONNECTIONS} connections before and after each of ${ROUNDS} overloads of ${overloadSeconds} s with ${offered} orders/s due on ${CLIENTS.toLocaleString('en')} connections, of which ${refused.toLocaleString('en')}/s refused`,
    ),
    gateway_overload_memory_growth: figure(
      [Math.max(...resident.slice(half)) / Math.max(...resident.slice(0, half))],
      'ratio',
      'largest resident set in the second half of the overloads against the first',
      3,
    ),
    gateway_overload_lost: figure(
      [lost],
      'orders',
      `of those answered 202 during the overloads, missing in ${topics.rawOrders}`,
    ),
  };
}

/** Where the next order will stand, by partition. */
async function logEnds(cluster: KafkaCluster): Promise<Map<number, number>> {
  const admin = await createAdmin({ clientId: 'perf-overload', cluster });
  const offsets = await admin.offsets(topics.rawOrders);
  await admin.close();
  return new Map(offsets.map(({ partition, latest }) => [partition, latest]));
}

function refusedPerSecond({ statuses }: LoadResult, seconds: number): number {
  const answered = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  return (answered - (statuses['202'] ?? 0)) / seconds;
}

/** Accepted orders that are not in the log. */
async function ordersLost(
  overloads: readonly Overload[],
  log: { cluster: KafkaCluster; fromOffsets: ReadonlyMap<number, number> },
): Promise<number> {
  const logged = new Map(overloads.map(({ result }) => [result.orderIdPrefix, new Set<number>()]));
  await readTopic({ ...log, topic: topics.rawOrders }, ({ key }) => {
    const orderId = key?.toString('latin1') ?? '';
    logged.get(orderId.slice(0, ORDER_NUMBER_AT))?.add(Number.parseInt(orderId.slice(ORDER_NUMBER_AT), 16));
  });
  let lost = 0;
  for (const { acceptedFile, result } of overloads) {
    const numbers = await readFile(acceptedFile);
    if (numbers.length === 0) throw new Error('nothing was accepted during an overload');
    const inLog = logged.get(result.orderIdPrefix);
    for (let at = 0; at < numbers.length; at += 8) if (!inLog?.has(Number(numbers.readBigInt64BE(at)))) lost += 1;
  }
  return lost;
}
