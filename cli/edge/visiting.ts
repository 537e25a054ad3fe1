import { statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import { UsageError } from '../../contracts/failure.ts';
import { type Selection, SpoolVisit, spoolPathOf } from '../../edge/index.ts';
import { pastTime } from '../options.ts';

/** Opens the spool of the configuration, for one command. @throws UsageError when there is none */
export function visitSpool<T>(access: 'read' | 'write', work: (visit: SpoolVisit, config: Config) => T): T {
  const config = loadConfig();
  const path = spoolPathOf(config);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true)
    throw new UsageError(`${path} is a directory; ORDERMESH_EDGE_SPOOL takes the file of the spool, as for the agent`);
  if (found === undefined)
    throw new UsageError(
      `there is no spool at ${path}; set ORDERMESH_EDGE_SPOOL or ORDERMESH_DATA_DIR as for the agent`,
    );
  using visit = new SpoolVisit(path, access);
  return work(visit, config);
}

export interface SelectionOptions {
  state?: 'unsent' | 'refused' | 'confirmed' | 'all';
  since?: number;
}

export function withSelection(command: Command, state: NonNullable<SelectionOptions['state']>): Command {
  return command
    .addOption(
      new Option('--state <state>', 'in this state').choices(['unsent', 'refused', 'confirmed', 'all']).default(state),
    )
    .option('--since <time>', 'accepted at this time or later: RFC 3339, or how long ago, as 2h', pastTime);
}

export function selectionOf(orderIds: readonly string[], { state, since }: SelectionOptions): Selection {
  return {
    // Named orders are selected in any state.
    state: state === 'all' || orderIds.length > 0 ? undefined : state,
    orderIds: orderIds.length > 0 ? orderIds : undefined,
    since,
  };
}

export function counted(orders: number): string {
  return orders === 1 ? '1 order' : `${orders} orders`;
}
