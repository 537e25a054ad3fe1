// Decides which partitions and roles have stood for too long. Asked by watch.ts.

import type { ReadyAnswers } from './admin-pages.ts';
import type { PartitionProgress } from './progress.ts';
import { Standstill } from './standstill.ts';

/** A partition with work that does not move. */
export interface Standing extends PartitionProgress {
  since: number;
}

export interface LivenessLimits {
  /** No partition with work may stand for longer once everything is mended. */
  standMs: number;
  /** A role may not say that it is not ready for longer, once everything is mended. */
  readyMs: number;
  /** While faults are on, a partition may stand, but a role of its group must report it within this time. */
  silentMs: number;
}

/** Invariant 10, with some time for our own questions: they are asked every second or two. */
export const livenessLimits: LivenessLimits = { standMs: 30_000, readyMs: 30_000, silentMs: 20_000 };

/**
 * Judges what was seen from outside: positions and ends of the partitions, and what the roles answer at `/readyz`. Each standstill is reported
 * once.
 */
export class LivenessOracle {
  readonly #limits: LivenessLimits;
  #partitions = new Standstill();
  #roles = new Standstill();
  readonly #told = new Set<string>();
  /** Since when all roles of a group have said without a break that they are ready; absent while one does not. */
  readonly #readySince = new Map<string, number>();
  #mended = false;

  constructor(limits = livenessLimits) {
    this.#limits = limits;
  }

  /** The last fault is mended: time counts from here. */
  mended(): void {
    this.#mended = true;
    this.#partitions = new Standstill();
    this.#roles = new Standstill();
    this.#told.clear();
  }

  /** @returns partitions that stand for too long, and those that stand in silence */
  partitions(all: readonly PartitionProgress[], now: number): { stood: Standing[]; silent: Standing[] } {
    const stood: Standing[] = [];
    const silent: Standing[] = [];
    for (const progress of all) {
      const { group, partition, committed, end } = progress;
      const name = `${group} ${partition}`;
      const since = this.#partitions.note(name, committed < end ? committed : undefined, now);
      if (since === undefined || since === now) {
        this.#told.delete(name);
        continue;
      }
      if (this.#told.has(name)) continue;
      const late = this.#mended ? now - since >= this.#limits.standMs : this.#isSilent(group, since, now);
      if (!late) continue;
      this.#told.add(name);
      (this.#mended ? stood : silent).push({ ...progress, since });
    }
    return { stood, silent };
  }

  /** @returns roles that are not ready for too long */
  readiness(answers: ReadyAnswers, now: number): { name: string; reason: string; since: number }[] {
    const unready: { name: string; reason: string; since: number }[] = [];
    const doubted = new Set<string>();
    for (const [name, { group, reason }] of answers) {
      if (reason !== undefined) doubted.add(group);
      const since = this.#roles.note(name, reason === undefined ? undefined : 'not ready', now);
      if (reason === undefined || since === undefined) this.#told.delete(name);
      else if (this.#mended && now - since >= this.#limits.readyMs && !this.#told.has(name)) {
        this.#told.add(name);
        unready.push({ name, reason, since });
      }
    }
    for (const { group } of answers.values()) {
      if (doubted.has(group)) this.#readySince.delete(group);
      else if (!this.#readySince.has(group)) this.#readySince.set(group, now);
    }
    return unready;
  }

  /** It has stood for all that time, and in all that time no role of its group said that it is not ready. */
  #isSilent(group: string, since: number, now: number): boolean {
    const ready = this.#readySince.get(group);
    return ready !== undefined && now - Math.max(since, ready) >= this.#limits.silentMs;
  }
}
