// Measures the runtime beside other libraries that do the same work. Called by perf/main.ts.

import { processorTimes, serverPids } from '../capacity/processor-time.ts';
import type { Figures } from '../figures/figure.ts';
import { ordermesh, type Peer, peers } from '../peers/same-work/peers.ts';
import {
  consumerPerfTest,
  consumerSettings,
  producerPerfTest,
  producerSettings,
} from '../peers/same-work/perf-tools.ts';
import type { WorkResult } from '../peers/same-work/work.ts';
import { Works } from '../peers/same-work/works.ts';
import { figure, interleave, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

interface Contender {
  peer: Peer;
  run(): Promise<number>;
  /** Of each round, in the order of time. */
  results: WorkResult[];
}

/** Reads, parses, decides and produces one record for each event: the runtime, and everyone else who can. */
export async function benchPeers({ env, rounds, messages }: Bench): Promise<Figures> {
  const works = new Works(env.KAFKA_BROKERS ?? '', 'perf-same-work');
  const enter = (peer: Peer) => contender(peer, works, messages, env);
  const ours = await enter(ordermesh);
  const others: Contender[] = [];
  const absent: string[] = [];
  for (const peer of peers) {
    try {
      others.push(await enter(peer));
    } catch (error) {
      absent.push(peer.name);
      console.error(`same_work_vs_${peer.name} is left out: ${(error as Error).message}`);
    }
  }
  const limitWork = await works.of(messages);
  const rates = await interleave(rounds, {
    ordermesh: ours.run,
    ...Object.fromEntries(others.map(({ peer, run }) => [peer.name, run])),
    producer_perf_test: () => works.withOutput(limitWork, producerPerfTest),
    consumer_perf_test: () => consumerPerfTest(limitWork),
  });
  await works.close();
  return figuresOf(ours, others, absent, rates);
}

/** @throws an error when the program cannot be built here */
async function contender(peer: Peer, works: Works, messages: number, env: Record<string, string>): Promise<Contender> {
  const command = await peer.prepare();
  const work = await works.of(Math.round(messages * peer.share));
  const results: WorkResult[] = [];
  const run = async () => {
    const before = await databaseSeconds(env);
    const result = await works.run(command, work, env);
    const processorSeconds = result.processorSeconds + (await databaseSeconds(env)) - before;
    results.push({ ...result, processorSeconds });
    return result.records / result.seconds;
  };
  return { peer, run, results };
}

/** Processor time that PostgreSQL has used; only the runtime asks it anything. */
async function databaseSeconds({ ORDERMESH_DATA_DIR = '' }: Record<string, string>): Promise<number> {
  const { postgres } = await serverPids(ORDERMESH_DATA_DIR);
  if (postgres === undefined)
    throw new Error(
      'the processor time of PostgreSQL belongs to the figures: unset DATABASE_URL, so that it starts here',
    );
  const { us = 0 } = await processorTimes({ us: postgres });
  return us / 1_000_000;
}

function figuresOf(
  ours: Contender,
  others: readonly Contender[],
  absent: readonly string[],
  rates: Record<string, number[]>,
): Figures {
  const own = rates.ordermesh ?? [];
  const left = absent.length === 0 ? '' : `; left out, because they cannot be built here: ${absent.join(', ')}`;
  const figures: Figures = {
    same_work_records_per_second: figure(own, 'records/s', `${ours.peer.settings}${left}`),
    same_work_vs_producer_perf_test: ratioFigure(own, rates.producer_perf_test ?? [], producerSettings),
    same_work_vs_consumer_perf_test: ratioFigure(own, rates.consumer_perf_test ?? [], consumerSettings),
  };
  for (const { peer, results } of others) {
    const described = `${peer.settings} (${results[0]?.version})`;
    figures[`same_work_vs_${peer.name}`] = ratioFigure(own, rates[peer.name] ?? [], described);
    figures[`same_work_per_processor_second_vs_${peer.name}`] = ratioFigure(
      ours.results.map(perProcessorSecond),
      results.map(perProcessorSecond),
      'records in a second of processor time: ours with that of PostgreSQL, theirs alone',
    );
  }
  return figures;
}

const perProcessorSecond = ({ records, processorSeconds }: WorkResult) => records / processorSeconds;
