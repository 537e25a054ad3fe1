import { Command } from 'commander';
import { UsageError } from '../contracts/failure.ts';
import { readInputFile } from '../contracts/input-file.ts';
import { connectedConfig } from '../stack/environment.ts';
import { loadMenu, withDatabase } from '../store/index.ts';
import { print, printJson } from './output.ts';

export function menuCommand(): Command {
  const menu = new Command('menu').description('The menu: items, stores and stock.');
  menu
    .command('load')
    .description('Loads a menu file. Items become those of the file; stock that a store has stays as it is.')
    .argument('<file>', 'menu file (JSON)')
    .option('--reset', 'set the stock of every store to that of the file')
    .option('--json', 'print {"version","items","stores","skus"}')
    .action(async (file: string, { reset = false, json }: { reset?: boolean; json?: boolean }) => {
      const document = await readJson(file);
      const loaded = await withDatabase(await connectedConfig(), (sql) => loadMenu(sql, document, { reset }));
      if (json) printJson(loaded);
      else print(`menu version ${loaded.version}: ${loaded.items} items, ${loaded.stores} stores, ${loaded.skus} SKUs`);
    });
  return menu;
}

async function readJson(file: string): Promise<unknown> {
  const text = await readInputFile(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`);
  }
}
