// A payment provider for the simulated chain, with a ledger in PostgreSQL. The payment actor calls it as it would call a real one.

import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OutageError } from '../../runtime/actor.ts';
import { BoundedPool, type DatabaseServer, type LedgerCharge } from '../../store/index.ts';
import { ChargeLedger } from './charge-ledger.ts';
import { type DeclineCode, declineCodeOf, declineDetails } from './decline-codes.ts';
import type { ChargeRequest, ChargeResult, PaymentProvider } from './provider.ts';

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
  ledgerMsMax?: number;
}

/** Tokens that start like this are always declined. The rest is the code, if the table has it: `tok_decline_expired-card`. */
const DECLINED_PREFIX = 'tok_decline_';
const ANSWER_TICK_MS = 10;
/** If the ledger has not answered by then, it is down. The charge is asked for again, with the same key. */
const LEDGER_MS_MAX = 5_000;

/**
 * Behaves like a payment provider: takes time, declines some tokens (always the same ones), sometimes gives no answer, before or after it
 * made the charge, and makes at most one charge per idempotency key.
 */
export function simulatedProvider(options: SimulatedProviderOptions): PaymentProvider {
  const { latencyMeanMs, latencyMsMax, declineRate, timeoutRate, random = Math.random } = options;
  const pool = new BoundedPool({
    server: options.database,
    connections: 1,
    application: 'simulated-payment-provider',
    answerMsMax: options.ledgerMsMax ?? LEDGER_MS_MAX,
  });
  const ledger = new ChargeLedger(pool);
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
    close: () => pool.close(),
  };
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

/** Why a token is declined, or undefined. Always the same answer for the same token. */
export function declineCode(token: string, declineRate: number): DeclineCode | undefined {
  if (token.startsWith(DECLINED_PREFIX)) return declineCodeOf(token.slice(DECLINED_PREFIX.length));
  return digest(token).readUInt32BE() / 2 ** 32 < declineRate ? 'card-declined' : undefined;
}

function resultOf({ status, reference, code }: LedgerCharge): ChargeResult {
  if (status === 'approved') return { status, reference: reference ?? '' };
  const known = declineCodeOf(code);
  return { status, code: known, detail: declineDetails[known] };
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
