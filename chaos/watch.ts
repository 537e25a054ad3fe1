import type { ConnectedConfig } from '../cli/environment.ts';
import { type Progress, progressOf } from './drain.ts';

const INTERVAL_MS = 15_000;
/** No fault lasts longer than that: a group that has work and has not moved since then is stuck. */
const STALLED_MS = 40_000;

export interface WatchOptions {
  config: ConnectedConfig;
  accepted(): number;
  say(line: string): void;
  /** Writes down what the workers say of themselves. */
  onStall(): Promise<void>;
}

/** Says every now and then how far everything has come, and takes evidence when a group with work does not move. */
export function watchProgress({ config, accepted, say, onStall }: WatchOptions): { close(): void } {
  const last = new Map<string, { committed: number; at: number; told: boolean }>();
  const look = async () => {
    const all = await progressOf(config);
    say(`${accepted()} orders accepted; lag ${all.map(({ group, lag }) => `${group} ${lag}`).join(', ')}`);
    for (const progress of all) if (isStalled(progress)) await onStall();
  };
  const isStalled = ({ group, committed, lag }: Progress): boolean => {
    const now = performance.now();
    const known = last.get(group);
    if (known === undefined || known.committed !== committed || lag === 0) {
      last.set(group, { committed, at: now, told: false });
      return false;
    }
    if (known.told || now - known.at < STALLED_MS) return false;
    known.told = true;
    say(`${group} has not moved for ${Math.round((now - known.at) / 1_000)} s and has ${lag} records to do`);
    return true;
  };
  // A broker may be away: the next look tells.
  const timer = setInterval(() => look().catch(() => {}), INTERVAL_MS);
  return { close: () => clearInterval(timer) };
}
