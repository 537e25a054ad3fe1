// Reads the files that `ordermesh profile --compare` takes.

import path from 'node:path';
import { Type } from 'typebox';
import { UsageError } from '../../contracts/failure.ts';
import { readInputFile } from '../../contracts/input-file.ts';
import { compileValidator } from '../../contracts/validation.ts';
import type { CpuProfile, HeapProfile } from '../profiling/profile.ts';
import type { Flame } from './flame.ts';
import { foldThreads } from './fold.ts';
import { fromSpeedscope } from './speedscope.ts';

const callFrame = Type.Object({ functionName: Type.String(), url: Type.String(), lineNumber: Type.Integer() });
const isCpuProfile = compileValidator(
  Type.Object({
    nodes: Type.Array(
      Type.Object({ id: Type.Integer(), callFrame, children: Type.Optional(Type.Array(Type.Integer())) }),
      { minItems: 1 },
    ),
    samples: Type.Array(Type.Integer()),
    timeDeltas: Type.Array(Type.Number()),
  }),
);
const isHeapProfile = compileValidator(
  Type.Object({
    head: Type.Object({ callFrame, selfSize: Type.Number({ minimum: 0 }), children: Type.Array(Type.Unknown()) }),
  }),
);

/** A `.cpuprofile` names no thread, so both sides of a comparison call theirs so. */
const ONE_THREAD = 'thread';

export interface FlameFile {
  name: string;
  flame: Flame;
  /** Whether it is of one thread, and not of all threads of a role. */
  isOneThread: boolean;
}

/** @throws UsageError when the file cannot be read or is no profile, with the kinds of files that are */
export async function readFlameFile(file: string): Promise<FlameFile> {
  const value = parsed(file, await readInputFile(file));
  const whole = fromSpeedscope(value);
  if (whole !== undefined) return { ...whole, isOneThread: false };
  if (!isCpuProfile(value).ok && !isHeapProfile(value).ok)
    throw new UsageError(
      `${file} is no profile: ${taken}${seemsForeign(value) ? '; this one is of another program' : ''}`,
    );
  const flame = foldThreads([{ thread: ONE_THREAD, profile: value as CpuProfile | HeapProfile }]);
  return { name: path.basename(file), flame, isOneThread: true };
}

const taken =
  'give a .speedscope.json that `ordermesh profile` has written, or a .cpuprofile or .heapprofile of one thread';

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's error names a position in the text. Whoever gave the wrong file has no use for that.
    throw new UsageError(`${file} is no JSON, so it is no profile: ${taken}`);
  }
}

/** In the format of speedscope, and not written here. */
function seemsForeign(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'profiles' in value && 'shared' in value;
}

/** @throws UsageError for two that have nothing to compare */
export function assertComparable(a: FlameFile, b: FlameFile): void {
  if (a.flame.unit !== b.flame.unit)
    throw new UsageError(
      `${a.name} counts ${a.flame.unit} and ${b.name} counts ${b.flame.unit}: compare two processor profiles or two heap profiles`,
    );
  if (a.isOneThread !== b.isOneThread)
    throw new UsageError(
      `${a.isOneThread ? a.name : b.name} is of one thread and ${a.isOneThread ? b.name : a.name} of all: compare two of one kind`,
    );
}
