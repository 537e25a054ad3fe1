// Reads the message in a push of Pub/Sub. Called by loyalty-handler.ts.

/** A Pub/Sub message as a CloudEvent function gets it. Pushed by a subscription or by Eventarc, it has the same shape. */
export interface PushedMessage {
  messageId: string;
  data: Buffer;
  attributes: Record<string, string>;
}

/** A request that is not a Pub/Sub message. `id` is the best identifier in the request, and `data` its body as JSON. */
export interface NotAMessage {
  id: string;
  reason: string;
  data: Buffer;
}

/**
 * Reads a CloudEvent of type `google.cloud.pubsub.topic.v1.messagePublished`, whose data is `{message: {messageId, data, attributes}}` with
 * base64 data. Never throws, because Pub/Sub would push an unreadable request again for ever.
 */
export function readPushedMessage(event: unknown): PushedMessage | NotAMessage {
  const { id, data } = fields(event);
  const message = fields(fields(data).message);
  const messageId = text(message.messageId) ?? text(message.message_id) ?? text(id);
  if (messageId === undefined)
    return {
      id: 'unknown',
      reason: 'the request is no Pub/Sub message: it has no messageId',
      data: json(data ?? event),
    };
  if (typeof message.data !== 'string')
    return { id: messageId, reason: 'the message has no data', data: json(data ?? event) };
  return {
    messageId,
    data: Buffer.from(message.data, 'base64'),
    attributes: Object.fromEntries(
      Object.entries(fields(message.attributes)).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    ),
  };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value) ?? '');
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
