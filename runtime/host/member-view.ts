import type { GroupConsumer, MemberHealth, Standing } from '../../kafka/index.ts';

/** This process's member of the group, as `/debug/runtime` shows it. */
export interface MemberView {
  state: MemberHealth['state'];
  since: string;
  /** When the membership was last proven. */
  provenAt: string;
  restarts: number;
}

export function memberView(consumer: GroupConsumer | undefined): MemberView | null {
  if (consumer === undefined) return null;
  const { state, since, provenAt, restarts } = consumer.health;
  return { state, since: new Date(since).toISOString(), provenAt: new Date(provenAt).toISOString(), restarts };
}

/** Why a partition stands: its own reason, or the member's. */
export function standingOf(standing: readonly Standing[], partition: number): Standing | undefined {
  return standing.find((one) => one.partition === undefined || one.partition.partition === partition);
}

/** For readiness: one line, or undefined when nothing stands. */
export function standingSummary(standing: readonly Standing[], group: string): string | undefined {
  if (standing.length === 0) return undefined;
  return standing
    .map((one) => `${nameOf(one, group)} stands since ${new Date(one.since).toISOString()} (${one.reason})`)
    .join('; ');
}

export function nameOf({ partition }: Standing, group: string): string {
  return partition === undefined
    ? `the member of group ${group}`
    : `partition ${partition.topic}/${partition.partition}`;
}
