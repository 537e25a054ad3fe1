import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OutageError } from '../../runtime/actor.ts';
import { connectDatabase } from '../../store/database.ts';
import type { LedgerCharge } from '../../store/provider-ledger.ts';
import { ChargeLedger } from './charge-ledger.ts';
import type { ChargeRequest, ChargeResult, PaymentProvider } from './provider.ts';

export interface SimulatedProviderOptions {
  /** The provider keeps its ledger over connections of its own, as the third party it stands for would. */
  databaseUrl: string;
  latencyMeanMs: number;
  latencyMsMax: number;
  /** Share of tokens that are declined. */
  declineRate: number;
  /** Share of calls that get no answer. */
  timeoutRate: number;
  /** From 0 to 1, as `Math.random`; a test passes its own. */
  random?: () => number;
}

/** Tokens that start so are always declined, with what follows as the code: `tok_decline_expired-card`. */
const DECLINED_PREFIX = 'tok_decline_';
const ANSWER_TICK_MS = 10;

/**
 * Behaves as a payment provider does: takes its time, declines some tokens (always the same ones), now and then gives no answer, before
 * or after it made the charge, and makes a charge at most once per idempotency key.
 */
export function simulatedProvider(options: SimulatedProviderOptions): PaymentProvider {
  const { latencyMeanMs, latencyMsMax, declineRate, timeoutRate, random = Math.random } = options;
  const database = connectDatabase({
    url: options.databaseUrl,
    connections: 1,
    application: 'simulated-payment-provider',
  });
  const ledger = new ChargeLedger(database);
  return {
    async charge(request) {
      const lostAnswer = random() < timeoutRate;
      const madeBefore = random() < 0.5;
      await delay(latencyMs(latencyMeanMs, latencyMsMax, random()));
      if (lostAnswer && !madeBefore) throw new OutageError('the payment provider did not answer');
      const booked = await ledger.book(judge(request, declineRate));
      if (lostAnswer) throw new OutageError('the payment provider did not answer in time');
      if (booked.amount !== request.amount || booked.currency !== request.currency) {
        throw new Error(`idempotency key ${request.idempotencyKey} was used for another charge`);
      }
      return resultOf(booked);
    },
    close: () => database.end(),
  };
}

/**
 * Exponentially distributed around the mean, as the time of independent delays is; the tail is cut at the maximum. Answers come in
 * bunches, at the ticks of one clock for all calls, as over a connection that many calls share.
 */
function latencyMs(mean: number, max: number, random: number): number {
  const latency = Math.min(max, -Math.log(1 - random) * mean);
  const now = performance.now();
  return Math.ceil((now + latency) / ANSWER_TICK_MS) * ANSWER_TICK_MS - now;
}

function judge({ idempotencyKey, amount, currency, token }: ChargeRequest, declineRate: number): LedgerCharge {
  const code = declineCode(token, declineRate);
  return {
    idempotencyKey,
    amount,
    currency,
    status: code === undefined ? 'approved' : 'declined',
    reference: code === undefined ? `ch_${digest(idempotencyKey).toString('hex').slice(0, 24)}` : null,
    code: code ?? null,
  };
}

/** Why a token is declined, or undefined: the same answer for the same token, however often it is asked. */
export function declineCode(token: string, declineRate: number): string | undefined {
  if (token.startsWith(DECLINED_PREFIX)) return token.slice(DECLINED_PREFIX.length) || 'card-declined';
  return digest(token).readUInt32BE() / 2 ** 32 < declineRate ? 'card-declined' : undefined;
}

function resultOf({ status, reference, code }: LedgerCharge): ChargeResult {
  return status === 'approved'
    ? { status, reference: reference ?? '' }
    : { status, code: code ?? 'card-declined', detail: 'the payment provider declined the charge' };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
