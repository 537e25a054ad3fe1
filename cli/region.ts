import { Command } from 'commander';
import { allTopics } from '../contracts/topics.ts';
import { type Admin, createAdmin } from '../kafka/index.ts';
import { mirrorProperties } from '../region/mirror-config.ts';
import { type PartitionRange, replicationHealth } from '../region/replication-health.ts';
import { NegativeResult } from './failure.ts';
import { print, printJson, table } from './output.ts';

interface Ends {
  from: string;
  fromBrokers: string[];
  to: string;
  toBrokers: string[];
}

const brokers = (text: string): string[] => text.split(',');

export function regionCommand(): Command {
  const region = new Command('region').description('Two regions, one mirroring the other.');
  withEnds(region.command('mirror-config'))
    .description('Prints the properties of the MirrorMaker 2 that mirrors one region to the other.')
    .option('--replication-factor <n>', 'of the topics that MirrorMaker creates', Number, 3)
    .action((ends: Ends & { replicationFactor: number }) => {
      const { replicationFactor } = ends;
      const from = { name: ends.from, brokers: ends.fromBrokers };
      const to = { name: ends.to, brokers: ends.toBrokers };
      process.stdout.write(mirrorProperties({ from, to, replicationFactor }));
    });
  withEnds(region.command('status'))
    .description(
      'Compares the logs of both regions: how far the mirror is behind, and topics that were truncated or recreated.',
    )
    .option('--json', 'print an array of partitions')
    .action(status);
  return region;
}

function withEnds(command: Command): Command {
  return command
    .requiredOption('--from <name>', 'the active region')
    .requiredOption('--from-brokers <list>', 'its brokers', brokers)
    .requiredOption('--to <name>', 'the passive region')
    .requiredOption('--to-brokers <list>', 'its brokers', brokers);
}

async function status({ from, fromBrokers, to, toBrokers, json }: Ends & { json?: boolean }): Promise<void> {
  const [source, target] = await Promise.all([ranges(fromBrokers), ranges(toBrokers)]);
  const health = replicationHealth(source, target);
  if (json) printJson(health);
  else {
    const rows = health.map(({ topic, partition, lag, state }) => [topic, partition, lag, state]);
    print(table(['topic', 'partition', `records ${to} lacks of ${from}`, 'state'], rows));
  }
  if (health.some(({ state }) => state !== 'replicating')) throw new NegativeResult();
}

async function ranges(brokers: string[]): Promise<PartitionRange[]> {
  const admin: Admin = await createAdmin({ clientId: 'ordermesh-region', brokers });
  try {
    const topics = await Promise.all(
      allTopics.map(async (topic) => (await admin.offsets(topic)).map((range) => ({ topic, ...range }))),
    );
    return topics.flat();
  } finally {
    await admin.close();
  }
}
