// Says what a sampled thread was busy with: stages, the garbage collector, native code. Used by flames.ts for costs.ts.

import { type Flame, IDLE } from '../../telemetry/flame/flame.ts';

/** By thread: shares of the time in which the thread was busy, by the levels of a flame graph below the thread. */
export type Sampled = Readonly<Record<string, Readonly<Record<string, number>>>>;

export function sampledOf({ root }: Flame): Sampled {
  return Object.fromEntries(
    root.children.map(({ frame, children }) => {
      const levels = children.filter((level) => level.frame.name !== IDLE);
      const busy = levels.reduce((sum, { total }) => sum + total, 0);
      return [frame.name, Object.fromEntries(levels.map((level) => [level.frame.name, level.total / busy]))];
    }),
  );
}
