// Makes a Pub/Sub message of an event from Kafka. Called by the bridge's actor.

import { sequenceOf } from './sequence.ts';

/** A message in the form of the Pub/Sub client. */
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
 * Makes a Pub/Sub message of an event. The bytes stay as they are. The attributes are the CloudEvents headers without `ce_`, and two more:
 * - `orderingkey`, CloudEvents' name for the ordering key, because a push envelope need not have it.
 * - `sequence`, which rises with every event of an order, in whatever log or partition; the warehouse uses it as the version. Sequences of
 *   different orders can't be compared.
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
  // Tracing continues behind Pub/Sub. Other headers are internal to the mesh.
  return header === 'traceparent' || header === 'tracestate' ? header : undefined;
}

/** About what Pub/Sub counts for a message: data, key and attributes, in bytes. */
export function messageBytes(message: OutgoingMessage): number {
  let bytes = message.data.length + message.orderingKey.length;
  for (const [name, value] of Object.entries(message.attributes)) bytes += name.length + value.length;
  return bytes;
}
