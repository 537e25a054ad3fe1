// A payment provider for the simulated chain, with a ledger in PostgreSQL. The payment actor calls it as it would call a real one.

import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { BoundedPool, type DatabaseServer, type LedgerCharge } from '../../store/index.ts';
import { ChargeLedger } from './charge-ledger.ts';
import { type DeclineCode, declineCodeOf, declined } from './decline-codes.ts';
import {
  type ChargeRequest,
  type ChargeResult,
  checkKey,
  checkSame,
  type PaymentProvider,
  PaymentRequestError,
  providerOutage,
} from './provider.ts';
import { RefundLedger } from './refund-ledger.ts';

export interface SimulatedProviderOptions {
  /** The provider has connections of its own to its ledger, like the third party that it stands for. */
  database: DatabaseServer;
  latencyMeanMs: number;
  latencyMsMax: number;
  /** Share of tokens that are declined. */
  declineRate: number;
  /** Share of calls that get no answer. */
  timeoutRate: number;
  /** A number from 0 to 1, like `Math.random`; a test passes its own. */
  random?: () => number;
  /** Longest wait for the ledger; 5 s by default. */
  callMsMax?: number;
}

/** Tokens that start like this are always declined. The rest is the code, if the table has it: `tok_decline_expired-card`. */
const DECLINED_PREFIX = 'tok_decline_';
const ANSWER_TICK_MS = 10;
/** If the ledger has not answered by then, it is down. The charge is asked for again, with the same key. */
const CALL_MS_MAX = 5_000;
const REFERENCE_PREFIX = 'ch_';

/**
 * Behaves like a payment provider: takes time, declines some tokens (always the same ones), sometimes gives no answer, before or after it
 * moved money, and moves money at most once per idempotency key.
 */
export function simulatedProvider(options: SimulatedProviderOptions): PaymentProvider {
  const { latencyMeanMs, latencyMsMax, declineRate, timeoutRate, random = Math.random } = options;
  const pool = new BoundedPool({
    server: options.database,
    connections: 1,
    application: 'simulated-payment-provider',
    answerMsMax: options.callMsMax ?? CALL_MS_MAX,
  });
  const charges = new ChargeLedger(pool);
  const refunds = new RefundLedger(pool);

  /** A call over the network: some answers are lost, before or after the work was done. */
  async function called<T>(work: () => Promise<T>): Promise<T> {
    const lostAnswer = random() < timeoutRate;
    const doneBefore = random() < 0.5;
    await delay(latencyMs(latencyMeanMs, latencyMsMax, random()));
    if (lostAnswer && !doneBefore) throw providerOutage('did not answer');
    const result = await work();
    if (lostAnswer) throw providerOutage('did not answer in time');
    return result;
  }

  return {
    async charge(request) {
      checkKey(request.idempotencyKey);
      checkAmount(request.amount);
      const booked = await called(() => charges.book(judge(request, declineRate)));
      checkSame(request, booked, 'charge');
      return resultOf(booked);
    },
    async refund(request) {
      checkKey(request.idempotencyKey);
      checkAmount(request.amount);
      const { idempotencyKey, chargeReference } = request;
      const reference = `re_${idempotencyKey}`;
      return await called(() =>
        refunds.book({ ...request, reference }, chargeReference.slice(REFERENCE_PREFIX.length)),
      );
    },
    movements: (period) => refunds.movements(period),
    close: () => pool.close(),
  };
}

function checkAmount(amount: number): void {
  if (!Number.isSafeInteger(amount) || amount < 0)
    throw new PaymentRequestError(`amount is ${amount}; it takes a whole number of minor units, from 0`);
}

/**
 * Exponentially distributed around the mean, like independent delays; cut off at the maximum. Answers come together, at the ticks of one
 * clock for all calls, as over a connection that many calls share.
 */
function latencyMs(mean: number, max: number, random: number): number {
  const latency = Math.min(max, -Math.log(1 - random) * mean);
  const now = performance.now();
  return Math.ceil((now + latency) / ANSWER_TICK_MS) * ANSWER_TICK_MS - now;
}

function judge({ idempotencyKey, orderId, amount, currency, token }: ChargeRequest, declineRate: number): LedgerCharge {
  const code = declineCode(token, declineRate);
  return {
    idempotencyKey,
    orderId,
    amount,
    currency,
    status: code === undefined ? 'approved' : 'declined',
    // The reference names the key, so that a refund finds its charge without another index.
    reference: code === undefined ? REFERENCE_PREFIX + idempotencyKey : null,
    code: code ?? null,
  };
}

/** Why a token is declined, or undefined. Always the same answer for the same token. */
export function declineCode(token: string, declineRate: number): DeclineCode | undefined {
  if (token.startsWith(DECLINED_PREFIX)) return declineCodeOf(token.slice(DECLINED_PREFIX.length));
  return hash('sha256', token, 'buffer').readUInt32BE() / 2 ** 32 < declineRate ? 'card-declined' : undefined;
}

function resultOf({ status, reference, code }: LedgerCharge): ChargeResult {
  return status === 'approved' ? { status, reference: reference ?? '' } : declined(declineCodeOf(code));
}
