import { Command } from 'commander';
import type { ConnectedConfig } from '../contracts/config.ts';
import { NegativeResult } from '../contracts/failure.ts';
import { allTopics, subscriptions } from '../contracts/topics.ts';
import { type Admin, applyPartitionCounts, applyTopics, withAdmin } from '../kafka/index.ts';
import { connectedConfig } from '../stack/environment.ts';
import { acceptPartitions, withDatabase } from '../store/index.ts';
import { print, printJson, say, table } from './output.ts';

export function topicsCommand(): Command {
  const topics = new Command('topics').description('The Kafka topics of the mesh.');
  topics
    .command('apply')
    .description(
      'Creates the topics that are missing; existing ones stay as they are. Exit 1 when they have another number of partitions than configured.',
    )
    .option('--json', 'print {"created":[…],"existing":[…],"drift":[…],"added":[…]}')
    .option(
      '--accept-partitions',
      'take the number of partitions that the topics have now: no order from before is on its way any more',
    )
    .action(async ({ json, acceptPartitions: accept }: { json?: boolean; acceptPartitions?: boolean }) => {
      const config = await connectedConfig();
      const { applied, counts } = await withAdmin(config, async (admin) => {
        const found = await applyTopics(admin, config);
        const partitions = await applyPartitionCounts(admin, found.drift);
        if (accept || partitions.added.length > 0) await acceptCounts(config, admin);
        return { applied: found, counts: partitions };
      });
      const { created, existing } = applied;
      const drift = applied.drift.filter(
        ({ topic, setting }) => setting !== 'partitions' || !counts.added.includes(topic),
      );
      if (json) printJson({ created, existing, drift, added: counts.added });
      else print(created.length === 0 ? `all ${existing.length} topics are there` : `created ${created.join(', ')}`);
      if (!json && counts.added.length > 0) print(`partitions added to ${counts.added.join(', ')}`);
      for (const { topic, setting, actual, wanted } of drift)
        say(`${topic}: ${setting} is ${actual}, configured is ${wanted}; existing topics are not changed`);
      if (counts.refused.length === 0) return;
      const { actual, wanted } = counts.refused[0] ?? {};
      say(
        `refused: with ${wanted} partitions instead of ${actual}, the later events of orders would stand in other partitions than their earlier ones. ` +
          `Set ORDERMESH_PARTITIONS=${actual}, or empty the mesh first: docs/operations/topics.md`,
      );
      throw new NegativeResult();
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

async function acceptCounts(config: ConnectedConfig, admin: Admin): Promise<void> {
  const described = await admin.describeTopics([...allTopics]);
  await withDatabase(config, async (sql) => {
    for (const { topic, partitions } of described) await acceptPartitions(sql, topic, partitions);
  });
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
