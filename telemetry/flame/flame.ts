// A flame graph as data: made by fold.ts, read by everything that shows, saves or compares one.

/** A function. One without a file belongs to Node or V8. */
export interface Frame {
  name: string;
  /** As place.ts tells it; empty for a function without a file, and for a thread or a stage. */
  file: string;
  /** From 1; 0 without a file. */
  line: number;
}

/** A place in the call tree. `self` and `total` are in the unit of the graph. */
export interface FlameNode {
  frame: Frame;
  self: number;
  total: number;
  /** The largest first. */
  children: FlameNode[];
}

export type FlameUnit = 'microseconds' | 'bytes';

/** The children of the root are threads, their children are stages, and below these are the stacks. */
export interface Flame {
  unit: FlameUnit;
  root: FlameNode;
}

/** A level like a stage, for a thread that waits. No share counts it. */
export const IDLE = 'idle';

/** What all shares are parts of: everything but waiting. */
export function busyOf({ root }: Flame): number {
  let idle = 0;
  for (const thread of root.children)
    for (const { frame, total } of thread.children) if (frame.name === IDLE) idle += total;
  return root.total - idle;
}

/** Lines move from version to version, so a function is known by its name and file; one without a name by its line too. */
export function functionKey({ name, file, line }: Frame): string {
  return name === ANONYMOUS ? `${name} ${file}:${line}` : `${name} ${file}`;
}

export const ANONYMOUS = '(anonymous)';

/** `fold.ts:12`; empty for a function without a file. */
export function whereOf({ file, line }: Frame): string {
  return file === '' ? '' : `${file}:${line}`;
}
