import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { topics } from '../../contracts/topics.ts';
import { createAdmin, readTopic } from '../../kafka/index.ts';
import { startGatewayProcess } from '../load/gateway-process.ts';
import { acceptedLoad, httpLoad } from '../load/http-load.ts';
import { residentBytesDuring } from '../load/resident-bytes.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const GATEWAY_PORT = 18_093;
const PEAK_CONNECTIONS = 256;
const WARM_UP_SECONDS = 3;
/** Of the overload: the heap grows to what so many clients need. */
const OVERLOAD_WARM_UP_SECONDS = 5;
const TIMES_CAPACITY = 5;
/** What keeps the log busy and little more; docs/operations/gateway.md says what a larger bound costs. */
const UNANSWERED_ORDERS_MAX = 300;
const CLIENTS = TIMES_CAPACITY * UNANSWERED_ORDERS_MAX;
const ORDER_NUMBER_AT = 24;

/** Five times as many orders as the gateway can take: what it still takes, what that costs it, and whether every 202 was kept. */
export async function benchOverload(bench: Bench, overloadSeconds: number): Promise<Figures> {
  const { env, seconds } = bench;
  const brokers = (env.KAFKA_BROKERS ?? '').split(',');
  const admin = await createAdmin({ clientId: 'perf-overload', brokers });
  await using gateway = await startGatewayProcess(bench, GATEWAY_PORT, {
    ORDERMESH_UNANSWERED_ORDERS_MAX: String(UNANSWERED_ORDERS_MAX),
  });
  const load = { url: `${gateway.url}/v1/orders`, token: gateway.token, order: gateway.order };
  const peak = async (duration = seconds) =>
    (await acceptedLoad({ ...load, connections: PEAK_CONNECTIONS, seconds: duration })).acceptedPerSecond;
  // Not counted: the hot paths compile.
  await peak(WARM_UP_SECONDS);
  const before = await peak();
  const fromOffsets = new Map(
    (await admin.offsets(topics.rawOrders)).map(({ partition, latest }) => [partition, latest]),
  );
  await admin.close();

  const accepted = path.join(env.ORDERMESH_DATA_DIR ?? '', 'accepted-orders');
  const rate = TIMES_CAPACITY * before;
  const overload = httpLoad({
    ...load,
    connections: CLIENTS,
    warmUp: OVERLOAD_WARM_UP_SECONDS,
    seconds: overloadSeconds,
    rate,
    accepted,
  });
  const resident = await residentBytesDuring(gateway.child, overload);
  const { acceptedPerSecond, statuses, orderIdPrefix } = await overload;
  // Before and after, because the machine's mood changes within such a time.
  const capacity = (before + (await peak())) / 2;
  const lost = await ordersLost(accepted, orderIdPrefix, { brokers, fromOffsets });
  await rm(accepted);
  const uncounted = OVERLOAD_WARM_UP_SECONDS / (OVERLOAD_WARM_UP_SECONDS + overloadSeconds);
  const counted = resident.slice(Math.ceil(resident.length * uncounted));
  const half = counted.length >> 1;
  const offered = `${rate.toLocaleString('en')} orders/s due on ${CLIENTS.toLocaleString('en')} connections for ${overloadSeconds} s`;
  const refused = Object.values(statuses).reduce((sum, count) => sum + count, 0) - (statuses['202'] ?? 0);
  return {
    gateway_overload_goodput_vs_peak: figure(
      [acceptedPerSecond / capacity],
      'ratio',
      `${acceptedPerSecond.toLocaleString('en')}/s against ${Math.round(capacity).toLocaleString('en')}/s of ${PEAK_CONNECTIONS} connections before and after; ${offered}; ${refused.toLocaleString('en')} refused`,
      3,
    ),
    gateway_overload_memory_growth: figure(
      [Math.max(...counted.slice(half)) / Math.max(...counted.slice(0, half))],
      'ratio',
      'largest resident set in the second half of the overload against the first',
      3,
    ),
    gateway_overload_lost: figure(
      [lost],
      'orders',
      `of those answered 202 during the overload, missing in ${topics.rawOrders}`,
    ),
  };
}

/** Accepted orders that are not in the log. */
async function ordersLost(
  acceptedFile: string,
  orderIdPrefix: string,
  log: { brokers: string[]; fromOffsets: ReadonlyMap<number, number> },
): Promise<number> {
  const logged = new Set<number>();
  await readTopic({ ...log, topic: topics.rawOrders }, ({ key }) => {
    const orderId = key?.toString('latin1') ?? '';
    if (orderId.startsWith(orderIdPrefix)) logged.add(Number.parseInt(orderId.slice(ORDER_NUMBER_AT), 16));
  });
  const numbers = await readFile(acceptedFile);
  let lost = 0;
  for (let at = 0; at < numbers.length; at += 8) if (!logged.has(Number(numbers.readBigInt64BE(at)))) lost += 1;
  if (numbers.length === 0) throw new Error('nothing was accepted during the overload');
  return lost;
}
