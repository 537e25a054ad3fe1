// Brings a database that was restored from a backup up to the log of its cluster. Called by `ordermesh database catch-up`.

import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { groups } from '../../contracts/topics.ts';
import { createRegionAdmin } from '../../kafka/index.ts';
import { type Database, knownUntil } from '../../store/index.ts';
import { closeGaps, type Rewinds } from '../start-positions.ts';
import { type Restored, restoreFromLog } from './restore.ts';
import { restoreLetters } from './restore-letters.ts';
import { within } from './within.ts';

const CLIENT = 'ordermesh-database';
const QUESTION_MS_MAX = 30_000;

export interface CatchUpOptions {
  cluster: KafkaCluster;
  sql: Database;
  /** Everything after this is read from the log, in milliseconds since 1970; by default from what the database knows itself. */
  sinceMs?: number;
  say(line: string): void;
}

export interface CaughtUp {
  /** From when on the log was read, in milliseconds since 1970. */
  sinceMs: number;
  restored: Restored;
  /** Dead letters that the database lacked. */
  letters: number;
  /** How far each group was moved back. */
  rewinds: Rewinds;
}

/**
 * Copies decisions, payments, conflicts and dead letters that are in the log and not in the database, and moves the groups back, so that
 * workers do again what else the database lacks: tickets, points, decisions and charges in flight. Every step may be done again.
 * @throws when workers still run, naming their groups
 */
export async function catchUp({ cluster, sql, sinceMs: given, say }: CatchUpOptions): Promise<CaughtUp> {
  await assertNoMembers(cluster);
  const sinceMs = given ?? (await within(QUESTION_MS_MAX, 'PostgreSQL', knownUntil(sql)));
  say(`reading the log from ${new Date(sinceMs).toISOString()} on`);
  const restored = await restoreFromLog(cluster, sql, sinceMs);
  say(`${restored.decisions} decisions that only the log had`);
  const letters = await restoreLetters(cluster, sql, sinceMs);
  say(`${letters} dead letters that only the log had`);
  const scanMs = Math.max(0, Date.now() - sinceMs);
  const rewinds = await closeGaps({ cluster, scanMs, databaseAtMs: sinceMs, bridgeToo: true });
  return { sinceMs, restored, letters, rewinds };
}

/** A worker that runs meanwhile would commit positions over those that are set here. */
async function assertNoMembers(cluster: KafkaCluster): Promise<void> {
  const admin = createRegionAdmin({ clientId: CLIENT, cluster });
  try {
    const counts = await within(QUESTION_MS_MAX, 'Kafka', admin.memberCounts(Object.values(groups)));
    const members = [...counts].filter(([, count]) => count > 0);
    if (members.length > 0)
      throw new Error(
        `workers still run: ${members.map(([group, count]) => `${group} ${count}`).join(', ')}; stop them first, the gateway may go on`,
      );
  } finally {
    await admin.close();
  }
}
