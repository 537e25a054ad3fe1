import { deadLetterHeaders } from '../../contracts/headers.ts';
import { formatMoney } from '../../contracts/order/money.ts';
import type { ReadRecord } from '../../kafka/index.ts';
import type { Origin, UntimedStep } from './journey-step.ts';

/** What a record of a topic is in the journey of its order: an event with its main fact, or a dead letter with its cause. */
export function stepOf(record: ReadRecord): UntimedStep {
  const { topic, partition, offset, headers } = record;
  const step = isDeadLetter(record) ? 'parked' : (headers.ce_type?.toString() ?? 'unknown');
  const place = { step, topic, partition, offset, at: new Date(record.timestamp).toISOString() };
  const eventId = headers.ce_id?.toString();
  return {
    ...place,
    detail: detailOf(record),
    ...(eventId === undefined ? {} : { eventId }),
    ...(isDeadLetter(record) ? { origin: originOf(record) } : {}),
  };
}

function isDeadLetter({ headers }: ReadRecord): boolean {
  return headers[deadLetterHeaders.topic] !== undefined;
}

/** The group stands in the name of the dead-letter topic only: `<topic>.<group>.dlt`. */
function originOf({ topic, headers }: ReadRecord): Origin {
  const of = headers[deadLetterHeaders.topic]?.toString() ?? '';
  return {
    group: topic.slice(of.length + 1, -'.dlt'.length),
    topic: of,
    partition: Number(headers[deadLetterHeaders.partition]?.toString()),
    offset: Number(headers[deadLetterHeaders.offset]?.toString()),
  };
}

function detailOf(record: ReadRecord): string {
  const header = (name: string) => record.headers[name]?.toString();
  if (isDeadLetter(record)) {
    const behind = header(deadLetterHeaders.behind);
    const cause = `${header(deadLetterHeaders.reason) ?? ''}: ${header(deadLetterHeaders.error) ?? ''}`;
    return behind === undefined ? cause : `behind offset ${behind} (${cause})`;
  }
  const value = parsed(record.value);
  switch (header('ce_type')) {
    case 'order.placed':
      return [value.storeId, value.channel, money(value)].filter(Boolean).join(', ');
    case 'order.rejected':
    case 'order.conflicting':
      return list(value.reasons)
        .map((reason) => `${reason.code}: ${reason.detail}`)
        .join('; ');
    case 'order.paid':
    case 'order.payment-failed':
      return Object.values((value.payment ?? {}) as Record<string, unknown>).join(', ');
    case 'order.cooking':
    case 'order.cooked':
    case 'order.recalled':
      return `round ${value.round}`;
    default:
      return '';
  }
}

function money({ total, currency }: Record<string, unknown>): string {
  return typeof total === 'number' ? formatMoney(total, String(currency)) : '';
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value : [];
}

function parsed(value: Buffer | null): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(value?.toString() ?? '');
    return typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : {};
  } catch {
    // The value is not JSON: the step is shown without a detail.
    return {};
  }
}
