// Compares the payments of orders with the provider's own list. Called by `ordermesh payments reconcile`.

import { chargesOf, type Database, type LedgerPayment, paymentsOf } from '../../store/index.ts';
import type { Movement, PaymentProvider, Period } from './provider.ts';

/** Money that one side has and the other has not, or has otherwise. */
export interface ReconciliationFault {
  kind: 'missing-at-provider' | 'missing-in-ledger' | 'differs' | 'charged-twice' | 'refund-not-in-ledger';
  /** Absent where the provider knows no order. */
  orderId?: string;
  detail: string;
}

/** The charges of the period in one currency, in minor units. */
export interface CurrencySums {
  currency: string;
  charges: number;
  ledger: number;
  provider: number;
}

export interface Reconciliation {
  sums: CurrencySums[];
  /** Charges of the last minutes whose payment is not stored yet. */
  inFlight: number;
  disputes: number;
  faults: ReconciliationFault[];
}

/** A charge is stored within seconds. While the database is away it takes longer, and the fault is then one to look at. */
const IN_FLIGHT_MS_MAX = 5 * 60_000;
/** A payment and its charge may lie on both sides of the end of the period. */
const OVERLAP_MS = 60 * 60_000;
const BATCH = 1_000;

/**
 * Every payment that was decided in the period must be a charge of the same amount at the provider, and every charge of the period the
 * payment of an order, once. Needs about 300 bytes of memory for each charge of the period.
 * @throws OutageError when the provider has no answer
 */
export async function reconcile(
  provider: Pick<PaymentProvider, 'movements'>,
  database: Database,
  period: Period,
  now = new Date(),
): Promise<Reconciliation> {
  const { charges, result } = await readProvider(provider, period);
  const sums = new Map<string, CurrencySums>();
  for await (const batch of chargesOf(database, period))
    for (const payment of batch) {
      const charge = charges.get(payment.orderId);
      charges.delete(payment.orderId);
      const fault = compare(payment, charge);
      if (fault !== undefined) result.faults.push(fault);
      add(sums, payment, charge);
    }
  await judgeCharges(
    [...charges.values()].filter((charge) => isIn(period, charge)),
    database,
    now,
    result,
  );
  return { ...result, sums: [...sums.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1)) };
}

/** The charges around the period by orderId, and what the list alone tells. */
async function readProvider(provider: Pick<PaymentProvider, 'movements'>, period: Period) {
  const charges = new Map<string, Movement>();
  const result: Omit<Reconciliation, 'sums'> = { inFlight: 0, disputes: 0, faults: [] };
  const wider = {
    since: new Date(period.since.getTime() - OVERLAP_MS),
    until: new Date(period.until.getTime() + OVERLAP_MS),
  };
  for await (const movement of provider.movements(wider)) {
    const { kind, orderId, reference, amount, currency } = movement;
    if (kind === 'charge' && orderId !== undefined && !charges.has(orderId)) {
      charges.set(orderId, movement);
      continue;
    }
    if (!isIn(period, movement)) continue;
    const detail = `${kind} ${reference} of ${amount} ${currency}`;
    const ofOrder = orderId === undefined ? {} : { orderId };
    if (kind === 'dispute') result.disputes++;
    else if (kind === 'refund') result.faults.push({ kind: 'refund-not-in-ledger', ...ofOrder, detail });
    else if (orderId === undefined)
      result.faults.push({ kind: 'missing-in-ledger', detail: `${detail} names no order` });
    else result.faults.push({ kind: 'charged-twice', orderId, detail: `${detail} is a second charge` });
  }
  return { charges, result };
}

/** Charges of the period that no payment of the period has. */
async function judgeCharges(
  charges: readonly Movement[],
  database: Database,
  now: Date,
  result: Omit<Reconciliation, 'sums'>,
): Promise<void> {
  for (let from = 0; from < charges.length; from += BATCH) {
    const batch = charges.slice(from, from + BATCH);
    const payments = await paymentsOf(
      database,
      batch.flatMap(({ orderId }) => orderId ?? []),
    );
    for (const charge of batch) {
      const { orderId = '', reference, amount, currency, at } = charge;
      const payment = payments.get(orderId);
      const isRecent = now.getTime() - at.getTime() < IN_FLIGHT_MS_MAX;
      if (payment === undefined && isRecent) result.inFlight++;
      else if (payment === undefined || payment.outcome.status === 'failed') {
        const stored = payment === undefined ? 'has no payment' : 'is stored as not paid';
        const detail = `charge ${reference} of ${amount} ${currency}; the order ${stored}`;
        result.faults.push({ kind: 'missing-in-ledger', orderId, detail });
      } else {
        const fault = compare(payment, charge);
        if (fault !== undefined) result.faults.push(fault);
      }
    }
  }
}

function compare(payment: LedgerPayment, charge: Movement | undefined): ReconciliationFault | undefined {
  const { orderId, amount, currency } = payment;
  if (charge === undefined)
    return {
      kind: 'missing-at-provider',
      orderId,
      detail: `paid with ${amount} ${currency}; the provider has no charge`,
    };
  if (charge.amount === amount && charge.currency === currency) return undefined;
  const detail = `paid with ${amount} ${currency}; charge ${charge.reference} has ${charge.amount} ${charge.currency}`;
  return { kind: 'differs', orderId, detail };
}

function add(sums: Map<string, CurrencySums>, { amount, currency }: LedgerPayment, charge: Movement | undefined): void {
  const sum = sums.get(currency) ?? { currency, charges: 0, ledger: 0, provider: 0 };
  sum.charges++;
  sum.ledger += amount;
  if (charge?.currency === currency) sum.provider += charge.amount;
  sums.set(currency, sum);
}

function isIn({ since, until }: Period, { at }: Movement): boolean {
  return at >= since && at < until;
}
