import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PartitionView } from '../../runtime/runtime-view.ts';
import { describeGroup, type JavaTools } from '../java-tools.ts';

/** `/debug/runtime` of a worker process; `text` is what it answered, or why it did not. */
export interface RuntimePageText {
  name: string;
  text: string;
}

/**
 * Writes down what the coordinator says of a group and what its workers say of themselves, and puts both side by side.
 * @returns a line for each of the partitions: the member that Kafka's coordinator gave it to, and the processes that say that they work on it
 */
export async function takeGroupEvidence(options: {
  tools: JavaTools;
  directory: string;
  group: string;
  partitions: readonly number[];
  pages: readonly RuntimePageText[];
}): Promise<string[]> {
  const { tools, directory, group, partitions, pages } = options;
  const at = new Date().toISOString().slice(11, 19).replaceAll(':', '');
  const described = await describeGroup(tools, group).catch((error: Error) => `no answer: ${error.message}`);
  await writeFile(path.join(directory, `${group}.members-${at}.txt`), described);
  for (const { name, text } of pages) await writeFile(path.join(directory, `${name}.runtime-${at}.json`), text);
  return ownerLines(described, partitions, pages);
}

export function ownerLines(
  described: string,
  partitions: readonly number[],
  pages: readonly RuntimePageText[],
): string[] {
  const members = membersIn(described);
  return partitions.map((partition) => {
    const owner = members.find((member) => member.partitions.includes(partition));
    const said = pages.flatMap(({ name, text }) => {
      const view = partitionIn(text, partition);
      if (view === undefined) return [];
      return [
        `${name} says ${view.phase}, frontier ${view.frontier}, next ${view.next}, paused by ${view.paused.join(' and ') || 'nothing'}`,
      ];
    });
    const workers = said.length === 0 ? 'no process says that it works on it' : said.join('; ');
    return `partition ${partition}: ${owner === undefined ? 'no member' : `member ${owner.id}`} of the group owns it; ${workers}`;
  });
}

/** Members and partitions in what ConsumerGroupCommand prints: group, member, host, client, count, `topic(0,1,…)`, … */
function membersIn(described: string): { id: string; partitions: number[] }[] {
  return described.split('\n').flatMap((line) => {
    const [, id = '', partitions = ''] = /^\S+\s+(\S+)\s+\/\S+\s.*?\(([\d,]+)\)/.exec(line.trim()) ?? [];
    return id === '' ? [] : [{ id, partitions: partitions.split(',').map(Number) }];
  });
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
