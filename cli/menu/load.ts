import { Command } from 'commander';
import { UsageError } from '../../contracts/failure.ts';
import { readInputFile } from '../../contracts/input-file.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { loadMenu, withDatabase } from '../../store/index.ts';
import { pointInTime } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { tellMenus } from './telling.ts';

interface LoadOptions {
  effective?: number;
  reset?: boolean;
  json?: boolean;
}

export function loadCommand(): Command {
  return new Command('load')
    .description('Loads a menu file as a new version. Items become those of the file; stock that a store has stays.')
    .argument('<file>', 'menu file (JSON)')
    .option('--effective <time>', 'from when orders are judged by it, such as 2026-12-01T06:00:00-06:00', pointInTime)
    .option('--reset', 'set the stock of every store to that of the file')
    .option('--json', 'print {"version","effectiveAt","items","stores","skus"}')
    .action(async (file: string, { effective, reset = false, json }: LoadOptions) => {
      if (reset && effective !== undefined)
        throw new UsageError('--reset changes stock at once and takes no --effective; load the menu, then reset');
      const document = await readJson(file);
      const config = await connectedConfig();
      const effectiveAt = effective === undefined ? undefined : new Date(effective);
      const windowMs = config.ORDERMESH_MENU_REPLAY_WINDOW;
      const loaded = await withDatabase(config, async (sql) => {
        const done = await loadMenu(sql, document, { reset, effectiveAt, windowMs });
        // Who is not told reads the menu again after a while.
        await tellMenus(config, sql).catch((error: Error) => say(`gateways were not told: ${error.message}`));
        return done;
      });
      if (json) {
        printJson(loaded);
        return;
      }
      const since = effectiveAt === undefined ? '' : `, in force from ${loaded.effectiveAt}`;
      const contents = `${loaded.items} items, ${loaded.stores} stores, ${loaded.skus} SKUs`;
      print(`menu version ${loaded.version}: ${contents}${since}`);
    });
}

async function readJson(file: string): Promise<unknown> {
  const text = await readInputFile(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`);
  }
}
