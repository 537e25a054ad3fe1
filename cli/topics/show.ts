import { Command } from 'commander';
import { allTopics, subscriptions } from '../../contracts/topics.ts';
import { withAdmin } from '../../kafka/index.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { print, printJson, table } from '../output.ts';

export function showCommand(): Command {
  return new Command('show')
    .description('Shows partitions and records of each topic, and how far each group has come.')
    .option('--json', 'print an array of topics')
    .action(async ({ json }: { json?: boolean }) => {
      const shown = await readTopics();
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
}

interface ShownTopic {
  topic: string;
  partitions: number;
  records: number;
  groups: { group: string; lag: number }[];
}

async function readTopics(): Promise<ShownTopic[]> {
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
