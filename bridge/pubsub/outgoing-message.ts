import { sequenceOf } from './sequence.ts';

/** A message for Pub/Sub, in the words of its client. */
export interface OutgoingMessage {
  data: Buffer;
  orderingKey: string;
  attributes: Record<string, string>;
}

export interface EventRecord {
  key: string;
  offset: number;
  value: Buffer;
  headers: Readonly<Record<string, Buffer>>;
}

/**
 * An event as a Pub/Sub message. The bytes stay as they are; the attributes are the CloudEvents headers without `ce_`, and two more:
 * - `orderingkey`, CloudEvents' own name for it in the Pub/Sub world: a push envelope need not carry the ordering key.
 * - `sequence`, which rises with every event of an order, whatever log or partition it stands in; the warehouse uses it as its version. Those of
 *   different orders don't compare.
 */
export function outgoingMessage(record: EventRecord): OutgoingMessage {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(record.headers)) {
    const attribute = attributeName(name);
    if (attribute !== undefined) attributes[attribute] = value.toString('utf8');
  }
  attributes.orderingkey = record.key;
  attributes.sequence = sequenceOf(attributes.type ?? '', attributes.id ?? '', record.offset);
  return { data: record.value, orderingKey: record.key, attributes };
}

function attributeName(header: string): string | undefined {
  if (header.startsWith('ce_')) return header.slice('ce_'.length);
  if (header === 'content-type') return 'datacontenttype';
  // Distributed tracing goes on behind Pub/Sub; other headers are the mesh's own affair.
  return header === 'traceparent' || header === 'tracestate' ? header : undefined;
}

/** What Pub/Sub counts of a message, about: data, key and attributes, in bytes. */
export function messageBytes(message: OutgoingMessage): number {
  let bytes = message.data.length + message.orderingKey.length;
  for (const [name, value] of Object.entries(message.attributes)) bytes += name.length + value.length;
  return bytes;
}
