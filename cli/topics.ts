import { Command } from 'commander';
import { allTopics, subscriptions } from '../contracts/topics.ts';
import { applyTopics } from '../kafka/index.ts';
import { connectedConfig } from './environment.ts';
import { print, printJson, say, table } from './output.ts';
import { withAdmin } from './servers.ts';

export function topicsCommand(): Command {
  const topics = new Command('topics').description('The Kafka topics of the mesh.');
  topics
    .command('apply')
    .description('Creates the topics that are missing; existing ones stay as they are.')
    .option('--json', 'print {"created":[…],"existing":[…],"drift":[…]}')
    .action(async ({ json }: { json?: boolean }) => {
      const config = await connectedConfig();
      const applied = await withAdmin(config, (admin) => applyTopics(admin, config));
      if (json) return printJson(applied);
      const { created, existing, drift } = applied;
      print(created.length === 0 ? `all ${existing.length} topics are there` : `created ${created.join(', ')}`);
      for (const { topic, setting, actual, wanted } of drift) {
        say(`${topic}: ${setting} is ${actual}, configured is ${wanted}; existing topics are not changed`);
      }
    });
  topics
    .command('show')
    .description('Shows partitions and records of each topic, and how far each group has come.')
    .option('--json', 'print an array of topics')
    .action(async ({ json }: { json?: boolean }) => {
      const shown = await show();
      if (json) return printJson(shown);
      const rows = shown.flatMap(({ topic, partitions, records, groups }) =>
        groups.length === 0
          ? [[topic, partitions, records, '', '']]
          : groups.map(({ group, lag }, index) =>
              index === 0 ? [topic, partitions, records, group, lag] : ['', '', '', group, lag],
            ),
      );
      print(table(['topic', 'partitions', 'records', 'group', 'lag'], rows));
    });
  return topics;
}

interface ShownTopic {
  topic: string;
  partitions: number;
  records: number;
  groups: { group: string; lag: number }[];
}

async function show(): Promise<ShownTopic[]> {
  return withAdmin(await connectedConfig(), async (admin) => {
    const existing = new Set(await admin.listTopics());
    const shown: ShownTopic[] = [];
    for (const topic of allTopics.filter((name) => existing.has(name))) {
      const ranges = await admin.offsets(topic);
      const groups = [];
      for (const { group } of subscriptions.filter((subscription) => subscription.topic === topic)) {
        const committed = await admin.committedOffsets(group, topic);
        const lag = ranges.reduce(
          (sum, { partition, earliest, latest }) => sum + latest - Math.max(earliest, committed.get(partition) ?? 0),
          0,
        );
        groups.push({ group, lag });
      }
      const records = ranges.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0);
      shown.push({ topic, partitions: ranges.length, records, groups });
    }
    return shown;
  });
}
