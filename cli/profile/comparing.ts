// `ordermesh profile --compare BEFORE AFTER`.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { changedFunctions, type FunctionChange } from '../../telemetry/flame/compare.ts';
import { comparisonPage } from '../../telemetry/flame/flame-page.ts';
import { stagesOf } from '../../telemetry/flame/functions.ts';
import { assertComparable, readFlameFile } from '../../telemetry/flame/read-file.ts';
import { print, table } from '../output.ts';
import { percent, points } from './numbers.ts';
import { timeForFiles } from './sampling.ts';

/** What `ordermesh profile --compare --json` prints. Shares are of everything but idle. */
export interface Comparison {
  before: string;
  after: string;
  /** The differential flame graph. */
  page: string;
  stages: { stage: string; a: number; b: number; change: number }[];
  /** The largest change first. */
  functions: FunctionChange[];
}

/** @throws UsageError for a file that is no profile, and for two that have nothing to compare */
export async function compareFiles(before: string, after: string, directory: string): Promise<Comparison> {
  const [a, b] = await Promise.all([readFlameFile(before), readFlameFile(after)]);
  assertComparable(a, b);
  await mkdir(directory, { recursive: true });
  const page = path.join(directory, `compare-${timeForFiles()}.html`);
  await writeFile(page, await comparisonPage(`A: ${a.name} · B: ${b.name}`, a.flame, b.flame));
  const [ofA, ofB] = [a, b].map(({ flame }) => new Map(stagesOf(flame).map(({ stage, share }) => [stage, share])));
  const stages = [...new Set([...(ofA?.keys() ?? []), ...(ofB?.keys() ?? [])])].map((stage) => {
    const [shareA, shareB] = [ofA?.get(stage) ?? 0, ofB?.get(stage) ?? 0];
    return { stage, a: shareA, b: shareB, change: shareB - shareA };
  });
  return { before, after, page, stages, functions: changedFunctions(a.flame, b.flame) };
}

export function printComparison({ before, after, page, stages, functions }: Comparison, top: number): void {
  print(`A: ${before}\nB: ${after}\ndifferential flame graph: ${page}\n`);
  const columns = ['A %', 'B %', 'change'];
  print(
    table(
      [...columns, 'stage'],
      stages.map(({ stage, a, b, change }) => [percent(a), percent(b), points(change), stage]),
    ),
  );
  print('');
  print(
    table(
      [...columns, 'function (self)', 'where'],
      functions
        .slice(0, top)
        .map(({ a, b, change, name, where }) => [percent(a), percent(b), points(change), name, where]),
    ),
  );
}
