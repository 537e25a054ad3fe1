// `ordermesh load`: its options and its work.

import { Command, Option } from 'commander';
import { loadConfig } from '../../contracts/config/config.ts';
import { NegativeResult } from '../../contracts/failure.ts';
import { gatewayOf, grpcGatewayOf } from '../../contracts/local-url.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { LoadRun } from '../../lab/load/index.ts';
import { createTraffic, randomSeed, transports, type Via } from '../../lab/traffic/index.ts';
import { httpUrl, positiveNumber, wholeNumber } from '../options.ts';
import { printJson, say } from '../output.ts';
import { assertGatewayAnswers, GatewayWatch, keptOut } from './gateway-watch.ts';
import { printLoadReport, sayBottlenecks } from './load-report.ts';

interface LoadOptions {
  gateway?: URL;
  via: Via;
  rate: number;
  seconds: number;
  seed?: number;
  realistic?: boolean;
  connections: number;
  token?: string;
  json?: boolean;
}

export function loadCommand(): Command {
  return new Command('load')
    .description('Sends orders of the simulated chain when they are due, however slow the answers, and measures them.')
    .option('--gateway <url>', 'where to, for gRPC its port; default: the gateway of this configuration', httpUrl)
    .addOption(new Option('--via <transport>', 'how orders are sent').choices(transports).default('http'))
    .option('--rate <n>', 'orders a second on average', positiveNumber, 100)
    .option('--seconds <n>', 'for how long', positiveNumber, 10)
    .option('--seed <n>', 'seed of the traffic; default: a new one', wholeNumber(0))
    .option('--realistic', 'fraud, scarce items and malformed orders as well')
    .option(
      '--connections <n>',
      'keep-alive connections, over WebSocket and gRPC for each store',
      wholeNumber(1, 10_000),
      32,
    )
    .option('--token <jwt>', 'token for all orders, from your own issuer')
    .option('--json', 'print the report as one JSON object')
    .action(async (options: LoadOptions) => {
      const config = loadConfig();
      const { seed = randomSeed(), realistic = false, rate, via, connections } = options;
      say(`seed ${seed}`);
      const gateway = options.gateway ?? (via === 'grpc' ? grpcGatewayOf(config) : gatewayOf(config));
      await assertGatewayAnswers(gateway, via);
      const watch = new GatewayWatch();
      const stop = new AbortController();
      process.once('SIGINT', () => stop.abort());
      const run = new LoadRun({
        traffic: createTraffic({ seed, realistic }),
        sender: {
          gateway,
          via,
          onAttempt: (status, detail) => watch.attempted(status, detail),
          token: options.token === undefined ? storeTokens(config) : () => options.token,
          connections,
          unansweredMax: 20_000,
        },
        signal: stop.signal,
      });
      try {
        await run.step({ rate, count: Math.ceil(rate * options.seconds) });
        await run.settle();
      } finally {
        run.close();
      }
      const report = run.report();
      if (options.json) printJson({ seed, via, ...report });
      else printLoadReport(report);
      sayBottlenecks(report);
      if (keptOut(report)) throw new NegativeResult();
    });
}
