import { Command, Option } from 'commander';
import { deadLetterHeaders as names } from '../contracts/headers.ts';
import { deadLetterTopic, subscriptions } from '../contracts/topics.ts';
import { type ReadRecord, readTopic } from '../kafka/index.ts';
import { connectedConfig } from './environment.ts';
import { NegativeResult } from './failure.ts';
import { print, printJson, say, table } from './output.ts';
import { withAdmin } from './servers.ts';

interface DeadLetter {
  group: string;
  key: string | null;
  reason: string;
  error: string;
  attempts: number;
  /** Where the message was. */
  topic: string;
  partition: number;
  offset: number;
  firstFailedAt: string;
  /** Offset of the earlier message of its key that it is parked behind. */
  behind: number | null;
  parkedAt: string;
}

export function dltCommand(): Command {
  const dlt = new Command('dlt').description(
    'Messages that were parked after their retries, and those parked behind them.',
  );
  dlt
    .command('list')
    .description('Lists dead letters, in the order in which they were parked.')
    .addOption(new Option('--group <name>', 'only this group').choices(subscriptions.map(({ group }) => group)))
    .option('--json', 'print an array')
    .action(async ({ group, json }: { group?: string; json?: boolean }) => {
      const letters = (await readDeadLetters(group)).map(({ letter }) => letter);
      if (json) return printJson(letters);
      if (letters.length === 0) return print('no dead letters');
      const rows = letters.map(({ parkedAt, group, key, reason, attempts, topic, partition, offset, behind }) => [
        parkedAt,
        group,
        key ?? '',
        `${topic}[${partition}]@${offset}`,
        behind === null ? `${reason} (${attempts} attempts)` : `behind ${behind}`,
      ]);
      print(table(['parked', 'group', 'order', 'record', 'why'], rows));
    });
  dlt
    .command('show')
    .description('Shows the dead letters of one order with their content.')
    .argument('<orderId>', 'key of the messages')
    .option('--json', 'print an array')
    .action(async (orderId: string, { json }: { json?: boolean }) => {
      const found = (await readDeadLetters()).filter(({ letter }) => letter.key === orderId);
      if (json) printJson(found.map(({ letter, record }) => ({ ...letter, value: text(record.value) })));
      else for (const { letter, record } of found) show(letter, record);
      if (found.length > 0) return;
      say(`no dead letter of order ${orderId}`);
      throw new NegativeResult();
    });
  return dlt;
}

async function readDeadLetters(group?: string): Promise<{ letter: DeadLetter; record: ReadRecord }[]> {
  const config = await connectedConfig();
  const existing = new Set(await withAdmin(config, (admin) => admin.listTopics()));
  const found: { letter: DeadLetter; record: ReadRecord }[] = [];
  for (const subscription of subscriptions) {
    const topic = deadLetterTopic(subscription.topic, subscription.group);
    if ((group !== undefined && subscription.group !== group) || !existing.has(topic)) continue;
    await readTopic({ brokers: config.KAFKA_BROKERS, topic, clientId: 'ordermesh-cli' }, (record) => {
      found.push({ letter: deadLetter(subscription.group, record), record });
    });
  }
  return found.sort((a, b) => a.record.timestamp - b.record.timestamp);
}

function deadLetter(group: string, { key, headers, timestamp }: ReadRecord): DeadLetter {
  const header = (name: string) => headers[name]?.toString() ?? '';
  return {
    group,
    key: text(key),
    reason: header(names.reason),
    error: header(names.error),
    attempts: Number(header(names.attempts)),
    topic: header(names.topic),
    partition: Number(header(names.partition)),
    offset: Number(header(names.offset)),
    firstFailedAt: header(names.firstFailedAt),
    behind: headers[names.behind] === undefined ? null : Number(header(names.behind)),
    parkedAt: new Date(timestamp).toISOString(),
  };
}

function show(letter: DeadLetter, { value }: ReadRecord): void {
  print(`${letter.topic}[${letter.partition}]@${letter.offset}, parked by ${letter.group} at ${letter.parkedAt}`);
  print(
    letter.behind === null
      ? `  failed ${letter.attempts} times since ${letter.firstFailedAt}: ${letter.reason}: ${letter.error}`
      : `  behind offset ${letter.behind}, which failed with ${letter.reason}: ${letter.error}`,
  );
  print(`  ${text(value) ?? '(no value)'}`);
}

function text(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString();
}
