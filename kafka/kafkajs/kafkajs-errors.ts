// What errors of kafkajs mean, in the errors of this room.

import { KafkaUnavailableError, NotAMemberError } from '../errors.ts';

/** Group errors that mean: this member is not (or not yet) part of the group's generation. */
const notAMember = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID']);

/** The protocol's name of an error (`type` in kafkajs), also if a retry has wrapped it. */
export function protocolErrorName(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { type } = error as { type?: unknown };
  return typeof type === 'string' ? type : protocolErrorName(error.cause);
}

export function saysNotAMember(error: unknown): boolean {
  const name = protocolErrorName(error);
  return name !== undefined && notAMember.has(name);
}

/** The group still counts the member, and asks it to join again. */
export function isRebalance(error: unknown): boolean {
  return protocolErrorName(error) === 'REBALANCE_IN_PROGRESS';
}

/** Translates a failed group request of kafkajs into an error of this room. */
export function groupError(action: string, error: unknown): Error {
  const reason = `${action}: ${error instanceof Error ? error.message : String(error)}`;
  return saysNotAMember(error)
    ? new NotAMemberError(reason, { cause: error })
    : new KafkaUnavailableError(reason, { cause: error });
}
