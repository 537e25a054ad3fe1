// `ordermesh menu 86|restore|stock`: what one store can sell, and how much of it there is.

import { Command } from 'commander';
import { UsageError } from '../../contracts/failure.ts';
import { type Availability, type ItemState, validateAvailability } from '../../contracts/menu/availability.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { AvailabilityError, changeAvailability, withDatabase } from '../../store/index.ts';
import { wholeNumber } from '../options.ts';
import { print, printJson } from '../output.ts';
import { tellMenus } from './telling.ts';

interface ChangeOptions {
  store: string;
  reason?: string;
  json?: boolean;
}

const STATE = '{"storeId","sku","available","since","reason","onHand","revision"}';

export function outCommand(): Command {
  return changeCommand(
    '86',
    'Says that a store cannot sell an item or modifier: orders placed from now on are refused.',
  )
    .argument('<sku>', 'item or modifier')
    .action((sku: string, options: ChangeOptions) => change(sku, { available: false }, options));
}

export function restoreCommand(): Command {
  return changeCommand('restore', 'Says that a store can sell an item or modifier again.')
    .argument('<sku>', 'item or modifier')
    .action((sku: string, options: ChangeOptions) => change(sku, { available: true }, options));
}

export function stockCommand(): Command {
  return changeCommand('stock', 'Corrects the stock of a store to what was counted.')
    .argument('<sku>', 'item or modifier')
    .argument('<pieces>', 'pieces that were counted', wholeNumber(0, 2_000_000_000))
    .action((sku: string, onHand: number, options: ChangeOptions) => change(sku, { onHand }, options));
}

function changeCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--store <id>', 'the store')
    .option('--reason <text>', 'for people: why')
    .option('--json', `print ${STATE}`);
}

async function change(sku: string, what: Availability, { store, reason, json }: ChangeOptions): Promise<void> {
  const checked = validateAvailability({ ...what, ...(reason === undefined ? {} : { reason }) });
  if (!checked.ok)
    throw new UsageError(checked.errors.map(({ pointer, detail }) => `--${pointer.slice(1)} ${detail}`).join('\n'));
  const config = await connectedConfig();
  const state = await withDatabase(config, async (sql) => {
    const windowMs = config.ORDERMESH_MENU_REPLAY_WINDOW;
    const changed = await changeAvailability(sql, { ...checked.value, storeId: store, sku, windowMs }).catch(refused);
    await tellMenus(config, sql, store).catch(untold);
    return changed;
  });
  if (json) printJson(state);
  else print(sentence(state));
}

function refused(error: Error): never {
  throw error instanceof AvailabilityError ? new UsageError(error.message) : error;
}

function untold(error: Error): never {
  throw new Error(
    `the change is stored, and orders are judged by it; gateways and restaurants were not told: ${error.message}. Run the command again`,
  );
}

function sentence({ storeId, sku, available, since, reason, onHand }: ItemState): string {
  const why = reason === undefined ? '' : ` (${reason})`;
  return `${storeId}: ${sku} is ${available ? 'available' : `unavailable since ${since}${why}`}, ${onHand} on hand`;
}
