import { protocolErrorsCodesById } from '@platformatic/kafka';
import { KafkaSetupError, KafkaUnavailableError, RecordRefusedError, RecordTooLargeError } from '../errors.ts';
import { refusalNamed, refused } from '../security/refusals.ts';

/*
 * Every error in the answer to a Produce request (Kafka's protocol guide, "Error Codes"; ProduceResponse.json lists those of the request),
 * and what it means for the record. An error that is not listed here is temporary: the batch is tried again.
 */

/** The record is in the log already: a repetition whose first acknowledgement was lost. */
const DUPLICATE_SEQUENCE_NUMBER = 46;
const tooLarge = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
/** An operator must act. INVALID_TIMESTAMP: this machine's clock differs from the broker's by more than the topic allows. */
const setup = new Set([
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TIMESTAMP',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'POLICY_VIOLATION',
]);
/** The broker and we have different knowledge of this producer. Only a new producer id helps. */
const lostProducer = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNKNOWN_PRODUCER_ID',
  'PRODUCER_FENCED',
]);

/** What a broker's answer means for one batch. */
export type ProduceVerdict =
  | { kind: 'acknowledged' }
  /** The same batch gets the same answer; with a `KafkaSetupError`, until an operator acts. */
  | { kind: 'refused'; error: RecordRefusedError | KafkaSetupError }
  | { kind: 'retry'; error: KafkaUnavailableError; newProducer: boolean };

/** @param where what was written to, for people: `topic raw-orders` */
export function produceVerdict(where: string, errorCode: number, errorMessage: string | null): ProduceVerdict {
  if (errorCode === 0 || errorCode === DUPLICATE_SEQUENCE_NUMBER) return { kind: 'acknowledged' };
  const name = protocolErrorsCodesById[errorCode as keyof typeof protocolErrorsCodesById] ?? `error ${errorCode}`;
  const refusal = refusalOf(name, `${where}: ${name}${errorMessage === null ? '' : `: ${errorMessage}`}`);
  if (refusal !== undefined) return { kind: 'refused', error: refusal };
  return { kind: 'retry', error: new KafkaUnavailableError(`${where}: ${name}`), newProducer: lostProducer.has(name) };
}

/** The error for a final refusal, by the protocol's name; undefined for a temporary error. */
export function refusalOf(name: string, message: string): RecordRefusedError | KafkaSetupError | undefined {
  if (tooLarge.has(name)) return new RecordTooLargeError(message);
  // For example, a compacted topic requires a key.
  if (name === 'INVALID_RECORD') return new RecordRefusedError(message);
  const refusal = refusalNamed(name);
  if (refusal !== undefined) return refused(refusal.reason, `${message}: ${refusal.text}`);
  return setup.has(name) ? new KafkaSetupError(message) : undefined;
}
