// `ordermesh load`: its options.

import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { loadConfig } from '../../contracts/config/config.ts';
import { NegativeResult } from '../../contracts/failure.ts';
import { gatewayOf, grpcGatewayOf } from '../../contracts/local-url.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { loadPage } from '../../lab/load/index.ts';
import { randomSeed, transports, type Via } from '../../lab/traffic/index.ts';
import { httpUrl, positiveNumber, type Stage, stages, wholeNumber } from '../options.ts';
import { printJson, say } from '../output.ts';
import { assertGatewayAnswers, keptOut } from './gateway-watch.ts';
import { printLoadReport, sayBottlenecks } from './load-report.ts';
import { runLoad } from './load-work.ts';

interface LoadOptions {
  gateway?: URL;
  via: Via;
  rate: number;
  seconds?: number;
  stages?: Stage[];
  ramp?: boolean;
  p99: number;
  seed?: number;
  realistic?: boolean;
  connections?: number;
  token?: string;
  json?: boolean;
  html?: string;
}

const SECONDS = 10;
/** Long enough that an overload of a few percent shows in the latency; a whole ramp takes one to three minutes. */
const RAMP_STEP_SECONDS = 6;
const CONNECTIONS = 32;
/** HTTP has one order in flight on each: with few connections a ramp would find the limit of the connections. */
const RAMP_CONNECTIONS = 256;

export function loadCommand(): Command {
  return new Command('load')
    .description('Sends orders of the simulated chain when they are due, however slow the answers, and measures them.')
    .option('--gateway <url>', 'where to, for gRPC its port; default: the gateway of this configuration', httpUrl)
    .addOption(new Option('--via <transport>', 'how orders are sent').choices(transports).default('http'))
    .option('--rate <n>', 'orders a second on average; of a ramp, the first rate', positiveNumber, 100)
    .option(
      '--seconds <n>',
      `for how long; default: ${SECONDS}; of a ramp, for each step, ${RAMP_STEP_SECONDS}`,
      positiveNumber,
    )
    .addOption(
      new Option('--stages <list>', 'rates one after the other, such as 100:30s,500:1m')
        .argParser(stages)
        .conflicts(['rate', 'seconds', 'ramp']),
    )
    .option('--ramp', 'find the highest rate that the gateway holds')
    .option('--p99 <ms>', 'of a ramp: a rate holds while its 99th percentile is at most this', positiveNumber, 250)
    .option('--seed <n>', 'seed of the traffic; default: a new one', wholeNumber(0))
    .option('--realistic', 'fraud, scarce items and malformed orders as well')
    .option(
      '--connections <n>',
      `keep-alive connections, over WebSocket and gRPC for each store; default: ${CONNECTIONS}, of a ramp ${RAMP_CONNECTIONS}`,
      wholeNumber(1, 10_000),
    )
    .option('--token <jwt>', 'token for all orders, from your own issuer')
    .option('--json', 'print the report as one JSON object')
    .option('--html <file>', 'write the report as a page with plots, which needs no network')
    .action(load);
}

async function load(options: LoadOptions): Promise<void> {
  const config = loadConfig();
  const { seed = randomSeed(), realistic = false, rate, via, ramp = false } = options;
  say(`seed ${seed}`);
  const gateway = options.gateway ?? (via === 'grpc' ? grpcGatewayOf(config) : gatewayOf(config));
  await assertGatewayAnswers(gateway, via);
  const measuredAt = new Date().toISOString();
  const seconds = options.seconds ?? (ramp ? RAMP_STEP_SECONDS : SECONDS);
  const outcome = await runLoad({
    seed,
    realistic,
    gateway,
    via,
    connections: options.connections ?? (ramp ? RAMP_CONNECTIONS : CONNECTIONS),
    token: options.token === undefined ? storeTokens(config) : () => options.token,
    plan: ramp
      ? { startRate: rate, stepSeconds: seconds, p99MsMax: options.p99 }
      : { steps: options.stages ?? [{ rate, count: Math.ceil(rate * seconds) }] },
  });
  const { report, knee } = outcome;
  if (options.html !== undefined) {
    const how = `${measuredAt} · ${gateway.origin} over ${via} · seed ${seed}${realistic ? ' · realistic' : ''}`;
    await writeFile(options.html, await loadPage({ intro: how, ...outcome }));
    say(`page: ${options.html}`);
  }
  if (options.json) printJson({ seed, via, ...report, ...(knee === undefined ? {} : { knee }) });
  else printLoadReport(outcome);
  sayBottlenecks(outcome);
  if (knee === undefined ? keptOut(report) : knee.rate === 0) throw new NegativeResult();
}
