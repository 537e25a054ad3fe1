import { Command } from 'commander';
import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { NegativeResult } from '../../contracts/failure.ts';
import { allTopics } from '../../contracts/topics.ts';
import { type Admin, applyPartitionCounts, applyTopics, withAdmin } from '../../kafka/index.ts';
import { connectedConfig, kafkaConfig } from '../../stack/environment.ts';
import { acceptPartitions, withDatabase } from '../../store/index.ts';
import { commaSeparated } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { type AclOptions, grant } from './acls.ts';

interface ApplyOptions extends AclOptions {
  acls?: boolean;
  acceptPartitions?: boolean;
}

export function applyCommand(): Command {
  return new Command('apply')
    .description(
      'Creates the topics that are missing; existing ones stay as they are. Exit 1 when they have another number of partitions than configured.',
    )
    .option('--json', 'print {"created":[…],"existing":[…],"drift":[…],"added":[…]}')
    .option(
      '--accept-partitions',
      'take the number of partitions that the topics have now: no order from before is on its way any more',
    )
    .option(
      '--acls',
      'grant each role the least rights that it needs instead; print {"acls":[…],"applied":…} with --json',
    )
    .option('--prefix <text>', 'with --acls: what the users of the roles begin with (default: User:ordermesh-)')
    .option('--principals <file>', 'with --acls: JSON with the user of each role, {"gateway":"User:…"}')
    .option('--regions <names>', 'with --acls: the names of both regions, for the mirror: east,west', commaSeparated)
    .option('--dry-run', 'with --acls: print, and change nothing')
    .action(async ({ acls, acceptPartitions: accept, ...options }: ApplyOptions) => {
      const { json } = options;
      const config = await kafkaConfig();
      if (acls) return grant(config, options);
      const { applied, counts } = await withAdmin(config, async (admin) => {
        const found = await applyTopics(admin, config);
        const partitions = await applyPartitionCounts(admin, found.drift);
        if (accept || partitions.added.length > 0) await acceptCounts(await connectedConfig(), admin);
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
}

/** Takes the numbers of partitions that the topics have as the wanted ones. */
async function acceptCounts(config: ConnectedConfig, admin: Admin): Promise<void> {
  const described = await admin.describeTopics([...allTopics]);
  await withDatabase(config, async (sql) => {
    for (const { topic, partitions } of described) await acceptPartitions(sql, topic, partitions);
  });
}
