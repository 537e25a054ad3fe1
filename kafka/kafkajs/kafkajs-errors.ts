// What errors of kafkajs mean, in the errors of this room.

import { NotAMemberError } from '../errors.ts';
import { kafkaError } from '../security/refusals.ts';

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
  if (!saysNotAMember(error)) return kafkaError(action, error);
  return new NotAMemberError(`${action}: ${(error as Error).message}`, { cause: error });
}
