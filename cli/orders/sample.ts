import { Command } from 'commander';
import { UsageError } from '../../contracts/failure.ts';
import type { Menu } from '../../contracts/order/menu.ts';
import { chainMenu, createTraffic, type GeneratedOrder, randomSeed, wholeDay } from '../../lab/traffic/index.ts';
import { pointInTime, wholeNumber } from '../options.ts';
import { say } from '../output.ts';

interface SampleOptions {
  count: number;
  seed?: number;
  realistic?: boolean;
  day?: number;
  at?: number;
  store?: string;
}

export function sampleCommand(): Command {
  return new Command('sample')
    .description('Prints orders of the simulated chain as NDJSON: valid ones, placed now, unless told otherwise.')
    .option('--count <n>', 'how many', wholeNumber(1), 1)
    .option('--seed <n>', 'seed of the randomness; without it a new one, printed on standard error', wholeNumber(0))
    .option('--at <time>', 'when they are placed; with --seed the output is the same to the byte', pointInTime)
    .option('--store <id>', 'of this store of the chain only')
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
      if (options.day !== undefined && options.store !== undefined) {
        throw new UsageError('--day is a day of the whole chain: leave --store away');
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

function* orders(options: SampleOptions, seed: number): Generator<GeneratedOrder> {
  const { count, realistic = false, day, at, store } = options;
  if (day !== undefined) return yield* wholeDay(seed, day, count);
  const traffic = createTraffic({ seed, realistic, menu: store === undefined ? chainMenu() : menuOf(store) });
  for (let made = 0; made < count; made++) yield traffic.order(at ?? Date.now());
}

/** The chain's menu, with one store. */
function menuOf(storeId: string): Menu {
  const menu = chainMenu();
  const stores = menu.stores.filter((store) => store.storeId === storeId);
  if (stores.length === 0) {
    const examples = menu.stores.slice(0, 3).map((store) => store.storeId);
    throw new UsageError(`--store ${storeId} is not a store of the simulated chain; it has ${examples.join(', ')}, …`);
  }
  return { ...menu, stores };
}
