// Writes down who works on the partitions of a group that stands. Called by watch.ts.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { KafkaCluster } from '../../../contracts/config/kafka-cluster.ts';
import { createAdmin, type GroupMember } from '../../../kafka/index.ts';
import type { PartitionView } from '../../../runtime/index.ts';

/** `/debug/runtime` of a worker process; `text` is what it answered, or why it did not. */
export interface RuntimePageText {
  name: string;
  text: string;
}

/**
 * Writes down what the coordinator says of a group and what its workers say of themselves, and puts both side by side.
 * @returns a line for each of the partitions: the member that the coordinator gave it to, and the processes that say that they work on it
 */
export async function takeGroupEvidence(options: {
  cluster: KafkaCluster;
  directory: string;
  group: string;
  partitions: readonly number[];
  pages: readonly RuntimePageText[];
}): Promise<string[]> {
  const { cluster, directory, group, partitions, pages } = options;
  const at = new Date().toISOString().slice(11, 19).replaceAll(':', '');
  for (const { name, text } of pages) await writeFile(path.join(directory, `${name}.runtime-${at}.json`), text);
  const members = await membersOf(cluster, group).catch((error: Error) => error.message);
  await writeFile(path.join(directory, `${group}.members-${at}.json`), JSON.stringify(members, null, 2));
  return ownerLines(members, partitions, pages);
}

async function membersOf(cluster: KafkaCluster, group: string): Promise<GroupMember[]> {
  const admin = await createAdmin({ clientId: 'liveness', cluster });
  try {
    return await admin.groupMembers(group);
  } finally {
    await admin.close();
  }
}

/** @param members why the coordinator does not tell them, where it does not */
export function ownerLines(
  members: readonly GroupMember[] | string,
  partitions: readonly number[],
  pages: readonly RuntimePageText[],
): string[] {
  const of = (partition: number) => `${ownerOf(members, partition)}; ${workersOf(pages, partition)}`;
  return [...Map.groupBy(partitions, of)].map(([text, same]) => `partition ${same.join(', ')}: ${text}`);
}

function workersOf(pages: readonly RuntimePageText[], partition: number): string {
  const said = pages.flatMap(({ name, text }) => {
    const view = partitionIn(text, partition);
    if (view === undefined) return [];
    const { phase, frontier, next, paused } = view;
    return [
      `${name} says ${phase}, frontier ${frontier}, next ${next}, paused by ${paused.join(' and ') || 'nothing'}`,
    ];
  });
  return said.length === 0 ? 'no process says that it works on it' : said.join('; ');
}

function ownerOf(members: readonly GroupMember[] | string, partition: number): string {
  if (typeof members === 'string') return `its owner is not known (${members})`;
  const owner = members.find(({ assigned }) => assigned.some((each) => each.partition === partition));
  return owner === undefined ? `none of ${members.length} members owns it` : `member ${owner.memberId} owns it`;
}

function partitionIn(page: string, partition: number): PartitionView | undefined {
  try {
    const { partitions } = JSON.parse(page) as { partitions: PartitionView[] };
    return partitions.find((each) => each.partition === partition);
  } catch {
    // Not a page: the process did not answer, and the file says so.
    return undefined;
  }
}
