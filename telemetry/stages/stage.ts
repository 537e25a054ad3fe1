// The stages that a message passes, by name and by number. Used by every room that measures one, and by what reads the figures.

/**
 * Worker: the main thread fetches, packs, transfers and commits; a slot's thread does the rest. Gateway: read, check, append, answer, and the
 * encoding and producing of every producer. What each stage includes is in docs/operations/stage-clock.md.
 */
export const workerStages = [
  'fetch',
  'pack',
  'transfer',
  'schedule',
  'decode',
  'prepare',
  'decide',
  'store',
  'encode',
  'produce',
  'commit',
] as const;
export const gatewayStages = ['read', 'check', 'append', 'answer'] as const;
export const stageNames = [...workerStages, ...gatewayStages] as const;

export type StageName = (typeof stageNames)[number];

/** A stage's number: its place in `stageNames`. */
export type Stage = number;

/** The number of each stage. Hot paths use numbers, because they are the places of the stage's sums in arrays. */
export const stage = Object.fromEntries(stageNames.map((name, number) => [name, number])) as Readonly<
  Record<StageName, Stage>
>;
