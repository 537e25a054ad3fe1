import { Command } from 'commander';
import { UsageError } from '../../contracts/failure.ts';
import { admitPairing, findPairing } from '../../store/index.ts';
import { print, printJson } from '../output.ts';
import { storeId } from '../token/store-id.ts';
import { code } from './code.ts';
import { shown, withScreens } from './shown.ts';

interface PairOptions {
  store?: string;
  chain?: boolean;
  name?: string;
  json?: boolean;
}

export function pairCommand(): Command {
  return new Command('pair')
    .description('Admits the screen that shows a code.')
    .argument('<code>', 'the six letters and digits on the screen, for example K7M 3QP', code)
    .option('--store <id>', 'store whose tickets it may show and bump', storeId)
    .option('--chain', 'instead of --store: it may show every store')
    .option('--name <name>', 'what `display list` calls it, for example "grill"')
    .option('--json', 'print the screen as one object')
    .action(async (given: string, { store, chain = false, name, json }: PairOptions) => {
      if ((store === undefined) !== chain)
        throw new UsageError('give --store <id>, or --chain for a screen that may show every store');
      await withScreens(async (sql) => {
        const pairing = await findPairing(sql, given);
        if (pairing === undefined) throw new UsageError(unknownCode(given));
        // A code that was read off another screen than meant shows here.
        if (pairing.wantsStore !== undefined && store !== undefined && pairing.wantsStore !== store)
          throw new UsageError(
            `the screen with this code (at ${pairing.address}) asks for store ${pairing.wantsStore}, not ${store}; give --store ${pairing.wantsStore}, or open /stores/${store} on the screen`,
          );
        const called = name ?? `screen at ${pairing.address}`;
        const screen = await admitPairing(sql, given, { name: called, storeId: store });
        if (screen === undefined) throw new UsageError(unknownCode(given));
        if (json) printJson(shown(screen));
        else
          print(
            `${screen.screenId}: "${screen.name}" (asked from ${pairing.address}) shows ${store ?? 'every store of the chain'} from now on`,
          );
      });
    });
}

export function unknownCode(given: string): string {
  return `no screen waits with the code ${given}: it was used, or is older than ten minutes; take the code that the screen shows now`;
}
