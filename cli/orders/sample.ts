import { Command } from 'commander';
import { createTraffic, type GeneratedOrder } from '../../traffic/generator.ts';
import { randomSeed } from '../../traffic/random.ts';
import { wholeDay } from '../../traffic/whole-day.ts';
import { UsageError } from '../failure.ts';
import { pointInTime, wholeNumber } from '../options.ts';
import { say } from '../output.ts';

interface SampleOptions {
  count: number;
  seed?: number;
  realistic?: boolean;
  day?: number;
  at?: number;
}

export function sampleCommand(): Command {
  return new Command('sample')
    .description('Prints orders of the simulated chain as NDJSON: valid ones, placed now, unless told otherwise.')
    .option('--count <n>', 'how many', wholeNumber(1), 1)
    .option('--seed <n>', 'seed of the randomness; without it a new one, printed on standard error', wholeNumber(0))
    .option('--at <time>', 'when they are placed; with --seed the output is the same to the byte', pointInTime)
    .option('--realistic', 'returning guests, fraud, scarce items and 0.1 % malformed orders as well')
    .option(
      '--day <time>',
      'spread over a day from that time with lunch and dinner peaks; implies --realistic',
      pointInTime,
    )
    .action(async (options: SampleOptions) => {
      if (options.day !== undefined && options.at !== undefined) {
        throw new UsageError('--day and --at both say when the orders are placed: give one of them');
      }
      if (options.seed === undefined) {
        options.seed = randomSeed();
        say(`seed ${options.seed}`);
      }
      for (const { body } of orders(options, options.seed)) {
        if (!process.stdout.write(`${body}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
      }
    });
}

function* orders({ count, realistic = false, day, at }: SampleOptions, seed: number): Generator<GeneratedOrder> {
  if (day !== undefined) return yield* wholeDay(seed, day, count);
  const traffic = createTraffic({ seed, realistic });
  for (let made = 0; made < count; made++) yield traffic.order(at ?? Date.now());
}
