// Records the history of a finished run, and reads it again. Called by main.ts.

import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { allTopics } from '../../contracts/topics.ts';
import {
  auditDatabase,
  connectDatabase,
  type DatabaseFault,
  type DatabaseServer,
  type OrderEffects,
} from '../../store/index.ts';
import type { CrewCommand } from '../crew.ts';
import type { History, LoggedRecord, SentOrder } from './checker/history.ts';
import { printCommits, printTopic, readCommits, readPrinted } from './console-consumer.ts';
import { countRecords, type JavaTools } from './java-tools.ts';
import type { SentLine } from './traffic.ts';

const COMMITS_TOPIC = '__consumer_offsets';

export interface FullHistory extends History {
  /** What the database alone proves wrong. */
  databaseFaults: DatabaseFault[];
}

interface DatabaseFile {
  effects: OrderEffects[];
  faults: DatabaseFault[];
}

/** Files of a history in its directory. */
export const historyFiles = {
  sent: (directory: string) => path.join(directory, 'sent.ndjson'),
  topic: (directory: string, topic: string) => path.join(directory, `${topic}.txt`),
  commits: (directory: string) => path.join(directory, 'commits.txt'),
  database: (directory: string) => path.join(directory, 'database.json'),
};

/**
 * Writes down what a finished run has left behind, beside the load generator's file: every topic and every commit, by Kafka's console
 * consumer, and the effects in the database.
 */
export async function recordHistory(options: {
  directory: string;
  tools: JavaTools;
  database: DatabaseServer;
}): Promise<void> {
  const { directory, tools, database } = options;
  const counts = await countRecords(tools, [...allTopics, COMMITS_TOPIC]);
  // All at once: the roles have ended, so the cores are free, and only a few of the topics hold anything.
  await Promise.all([
    ...allTopics.map((topic) => printTopic(tools, topic, counts.get(topic) ?? 0, historyFiles.topic(directory, topic))),
    printCommits(tools, counts.get(COMMITS_TOPIC) ?? 0, historyFiles.commits(directory)),
  ]);
  await writeFile(historyFiles.database(directory), JSON.stringify(await readDatabase(database)));
}

/** Reads a recorded history. @throws when a file is not there or holds what is not of its form */
export async function readHistory(directory: string): Promise<FullHistory> {
  const records = new Map<string, LoggedRecord[]>();
  for (const topic of allTopics)
    records.set(topic, await collect(readPrinted(historyFiles.topic(directory, topic), topic)));
  const { effects, faults } = JSON.parse(await readFile(historyFiles.database(directory), 'utf8')) as DatabaseFile;
  return {
    ...(await readSent(historyFiles.sent(directory))),
    records,
    commits: await collect(readCommits(historyFiles.commits(directory))),
    effects: new Map(effects.map((each) => [each.orderId, each])),
    databaseFaults: faults,
  };
}

async function readSent(file: string): Promise<{ orders: SentOrder[]; commands: CrewCommand[] }> {
  const orders: SentOrder[] = [];
  const commands: CrewCommand[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const sent = JSON.parse(line) as SentLine;
    if (sent.what === 'order') orders.push(sent);
    else commands.push(sent);
  }
  return { orders, commands };
}

async function readDatabase(server: DatabaseServer): Promise<DatabaseFile> {
  const effects: OrderEffects[] = [];
  const sql = connectDatabase({ server, connections: 2, application: 'chaos' });
  try {
    const { faults } = await auditDatabase(sql, { onEffects: (batch) => effects.push(...batch) });
    return { effects, faults };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
