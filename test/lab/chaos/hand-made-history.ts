import { deadLetterTopic, groups, topics } from '../../../contracts/topics.ts';
import type { History, LoggedCommit, LoggedRecord, SentOrder } from '../../../lab/chaos/checker/history.ts';
import type { CrewCommand } from '../../../lab/crew.ts';

type Draft = {
  orders: SentOrder[];
  commands: CrewCommand[];
  records: Map<string, LoggedRecord[]>;
  commits: LoggedCommit[];
  effects: Map<
    string,
    { decision: 'validated' | 'rejected'; payment: 'paid' | 'failed' | null; charges: number; ticket: boolean }
  >;
};

export const intakeDeadLetters = deadLetterTopic(topics.rawOrders, groups.orderValidator);

/** A history written by hand, to be spoilt by tests. Times are milliseconds from its beginning. */
export class HandMadeHistory implements History {
  readonly orders: Draft['orders'] = [];
  readonly commands: Draft['commands'] = [];
  readonly records: Draft['records'] = new Map();
  readonly commits: Draft['commits'] = [];
  readonly effects: Draft['effects'] = new Map();

  send(orderId: string, status: number, at: number, attempts = 1): this {
    this.orders.push({ orderId, sentAt: at, answeredAt: at + 1, status, attempts });
    return this;
  }

  /** Appends a record to partition 0 of a topic. */
  log(topic: string, orderId: string, type: string, at: number, more: Partial<LoggedRecord> = {}): LoggedRecord {
    const records = this.records.get(topic) ?? [];
    this.records.set(topic, records);
    const record: LoggedRecord = {
      topic,
      partition: 0,
      offset: records.length,
      timestamp: at,
      key: orderId,
      value: `{"type":"${type}"}`,
      headers: { ce_id: `${orderId}/${type}`, ce_type: type.split('/')[0] ?? '' },
      ...more,
    };
    records.push(record);
    return record;
  }

  park(orderId: string, origin: number, at: number): void {
    this.log(intakeDeadLetters, orderId, 'order.placed', at, {
      headers: { 'dlt-partition': '0', 'dlt-offset': String(origin) },
    });
  }

  commit(group: string, topic: string, offset: number, at: number): void {
    this.commits.push({ group, topic, partition: 0, offset, at });
  }

  command(type: 'bump' | 'recall', orderId: string, round: number, sentAt: number): void {
    this.commands.push({ type, orderId, round, sentAt, answeredAt: sentAt + 1, outcome: 'done' });
  }
}

/** One order from its 202 to the second time it was cooked, committed by everyone, and one that was rejected. */
export function soundHistory(): HandMadeHistory {
  const history = new HandMadeHistory();
  const { rawOrders, validatedOrders, rejectedOrders } = topics;
  history.send('a', 202, 0).send('b', 202, 1).send('c', 503, 2, 4).send('d', 422, 3);
  history.log(rawOrders, 'a', 'order.placed', 0);
  history.log(rawOrders, 'b', 'order.placed', 1);
  history.log(validatedOrders, 'a', 'order.validated', 10);
  history.log(rejectedOrders, 'b', 'order.rejected', 10);
  history.commit(groups.orderValidator, rawOrders, 2, 20);
  history.log(validatedOrders, 'a', 'order.paid', 30);
  history.commit(groups.payment, validatedOrders, 2, 40);
  history.effects.set('a', { decision: 'validated', payment: 'paid', charges: 1, ticket: true });
  history.effects.set('b', { decision: 'rejected', payment: null, charges: 0, ticket: false });
  history.command('bump', 'a', 1, 50);
  history.log(validatedOrders, 'a', 'order.cooked/1', 50);
  history.command('recall', 'a', 1, 60);
  history.log(validatedOrders, 'a', 'order.recalled/1', 60);
  history.command('bump', 'a', 2, 70);
  history.log(validatedOrders, 'a', 'order.cooked/2', 70);
  history.commit(groups.payment, validatedOrders, 5, 80);
  return history;
}
