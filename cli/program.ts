// The commands of `ordermesh`, and how failures are reported. Called by main.ts.

import { Command, CommanderError } from 'commander';
import { describeFailure, exitCodeOf, NegativeResult } from '../contracts/failure.ts';

interface Entry {
  summary: string;
  /** Imports the command's file; only the one that was asked for is loaded. */
  load(): Promise<Command>;
}

const commands: Record<string, Entry> = {
  up: {
    summary: 'start the embedded stack, every role and simulated restaurants',
    load: async () => (await import('./up/up.ts')).upCommand(),
  },
  smoke: {
    summary: 'run everything under load for a while, then audit',
    load: async () => (await import('./load/smoke.ts')).smokeCommand(),
  },
  gateway: {
    summary: 'take orders over HTTP and WebSocket',
    load: async () => (await import('./roles/gateway.ts')).gatewayCommand(),
  },
  worker: {
    summary: 'run order-validator, payment or kitchen',
    load: async () => (await import('./roles/worker.ts')).workerCommand(),
  },
  display: {
    summary: 'serve the kitchen display',
    load: async () => (await import('./roles/display.ts')).displayCommand(),
  },
  bridge: {
    summary: 'publish high-value events to Pub/Sub',
    load: async () => (await import('./roles/bridge.ts')).bridgeCommand(),
  },
  warehouse: {
    summary: 'carry events from Pub/Sub to BigQuery',
    load: async () => (await import('./roles/warehouse.ts')).warehouseCommand(),
  },
  loyalty: {
    summary: 'serve the loyalty function that Pub/Sub pushes to',
    load: async () => (await import('./roles/loyalty.ts')).loyaltyCommand(),
  },
  edge: {
    summary: 'take orders in a restaurant, onto a durable spool',
    load: async () => (await import('./edge/edge.ts')).edgeCommand(),
  },
  region: {
    summary: 'mirror one region to another and watch it',
    load: async () => (await import('./region/region.ts')).regionCommand(),
  },
  payments: {
    summary: 'show what became of the money',
    load: async () => (await import('./payments/payments.ts')).paymentsCommand(),
  },
  migrate: {
    summary: 'bring the database to the version of this release',
    load: async () => (await import('./migrate.ts')).migrateCommand(),
  },
  database: {
    summary: 'bring a restored database up to the log',
    load: async () => (await import('./database.ts')).databaseCommand(),
  },
  topics: {
    summary: 'create or show the Kafka topics',
    load: async () => (await import('./topics/topics.ts')).topicsCommand(),
  },
  token: {
    summary: 'issue a token for a store',
    load: async () => (await import('./token/token.ts')).tokenCommand(),
  },
  menu: {
    summary: 'load menus: items, stores and stock, each from its time on',
    load: async () => (await import('./menu/menu.ts')).menuCommand(),
  },
  orders: {
    summary: 'make, send and follow orders',
    load: async () => (await import('./orders/orders.ts')).ordersCommand(),
  },
  dlt: {
    summary: 'look at parked messages, replay or discard them',
    load: async () => (await import('./dlt/dlt.ts')).dltCommand(),
  },
  audit: {
    summary: 'prove that nothing was lost, doubled or overtaken',
    load: async () => (await import('./audit.ts')).auditCommand(),
  },
  profile: {
    summary: 'sample every thread of a running role',
    load: async () => (await import('./profile/profile.ts')).profileCommand(),
  },
  load: {
    summary: 'send simulated orders at a rate and measure the answers',
    load: async () => (await import('./load/load.ts')).loadCommand(),
  },
};

/** Runs one command line. @returns the exit code: 0 done, 1 failed, 2 wrong usage or configuration. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(argv);
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof NegativeResult) return 1;
    for (const line of describeFailure(error, process.env.ORDERMESH_LOG_LEVEL === 'debug').split('\n')) {
      process.stderr.write(`ordermesh: ${line}\n`);
    }
    return exitCodeOf(error);
  }
}

async function createProgram(argv: readonly string[]): Promise<Command> {
  const program = new Command('ordermesh')
    .description('A store-and-forward event mesh for restaurant orders.')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows what there is)');
  // `help <command>` and `<command> --help` both need the command itself.
  const named = argv.find((argument) => !argument.startsWith('-') && argument !== 'help');
  for (const [name, { summary, load }] of Object.entries(commands)) {
    program.addCommand(name === named ? (await load()).summary(summary) : new Command(name).description(summary));
  }
  throwInsteadOfExit(program);
  return program;
}

function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) {
    child.showHelpAfterError('(--help shows what there is)');
    throwInsteadOfExit(child);
  }
}
