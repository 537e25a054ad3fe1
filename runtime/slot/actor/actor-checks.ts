import { inspect, types } from 'node:util';
import type { OutgoingRecord } from '../../../kafka/index.ts';
import type { Actor, Message, Outputs } from '../../actor.ts';

/** The actor does something that the types of `Actor` don't allow. The message says what would be right. */
export class ActorContractError extends Error {
  override name = 'ActorContractError';
  readonly code = 'actor-contract';
}

const steps = new Set(['decode', 'prepare', 'prepareAtOnce', 'apply', 'close', 'completed']);

/**
 * Checks what `createActor` returned.
 * @throws ActorContractError if it is no actor
 */
export function checkActor(actor: unknown, module: string): Actor<unknown, unknown> {
  if (typeof actor !== 'object' || actor === null)
    throw new ActorContractError(`createActor() of ${module} returned ${shown(actor)}, not an actor: { decode, … }`);
  const given = actor as Record<string, unknown>;
  if (typeof given.decode !== 'function')
    throw new ActorContractError(`the actor of ${module} has no decode(message): it makes a value of the bytes`);
  for (const step of steps)
    if (given[step] !== undefined && typeof given[step] !== 'function')
      throw new ActorContractError(`${step} of the actor of ${module} is ${shown(given[step])}, not a function`);
  // An instance of a class may have methods of its own; in a literal, a function by another name is a typing error.
  const literal = Object.getPrototypeOf(given) === Object.prototype;
  const stray = Object.keys(given).find((name) => literal && !steps.has(name) && typeof given[name] === 'function');
  if (stray !== undefined)
    throw new ActorContractError(
      `${stray}() of the actor of ${module} is never called; an actor has ${[...steps].join(', ')}`,
    );
  return actor as Actor<unknown, unknown>;
}

/** A promise would be taken for the value, and its rejection would end the thread. */
export function checkDecoded<T>(decoded: T): T {
  if (!(decoded instanceof Promise)) return decoded;
  // If the promise rejects as well, the error thrown below is the more helpful one.
  decoded.catch(() => {});
  throw new ActorContractError(
    'decode() returned a promise: it has to be synchronous; what waits belongs in prepare()',
  );
}

/**
 * Checks that there is one list of outputs for each message, and that the producer can send every output.
 * @throws ActorContractError that names the wrong output
 */
export function checkOutputs(outputs: unknown, messages: readonly Message[]): readonly Outputs[] {
  if (!Array.isArray(outputs) || outputs.length !== messages.length) {
    const returned = Array.isArray(outputs) ? `outputs of ${outputs.length} items` : shown(outputs);
    throw new ActorContractError(
      `apply() returned ${returned} for ${messages.length} items: return a list with one list of outputs for each item, in their order; items.map(() => []) where there are none`,
    );
  }
  for (let index = 0; index < outputs.length; index++) {
    const list = outputs[index] as unknown;
    if (!Array.isArray(list))
      throw new ActorContractError(
        `apply() returned ${shown(list)} as the outputs of key ${messages[index]?.key}: they are a list, [] for none`,
      );
    for (const record of list) {
      const fault = faultOfOutput(record);
      if (fault !== undefined)
        throw new ActorContractError(`apply(): an output of key ${messages[index]?.key}: ${fault}`);
    }
  }
  return outputs;
}

function faultOfOutput(record: Partial<OutgoingRecord> | null | undefined): string | undefined {
  if (typeof record !== 'object' || record === null) return `${shown(record)} is not a record { topic, key, value }`;
  const { topic, key, value, partition, headers, commonHeaders } = record;
  if (typeof topic !== 'string' || topic === '') return `topic is ${shown(topic)}, not the name of a topic`;
  if (!isBytes(key) || key.length === 0)
    return `key is ${shown(key)}, not text or a Buffer: the OrderID keeps the order's records in order`;
  if (value !== null && !isBytes(value))
    return `value is ${shown(value)}, not text, a Buffer or null: JSON.stringify() makes text of an object`;
  if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0))
    return `partition is ${shown(partition)}; leave it out, and the key decides`;
  return faultOfHeaders(headers) ?? faultOfHeaders(commonHeaders?.fixed) ?? faultOfHeaders(commonHeaders?.afterKey);
}

function faultOfHeaders(headers: OutgoingRecord['headers']): string | undefined {
  for (const name in headers) {
    const value: unknown = headers[name];
    if (!isBytes(value)) return `header ${name} is ${shown(value)}, not text or a Buffer`;
  }
  return undefined;
}

function isBytes(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value);
}

/** Makes an error of whatever a step threw, because only an error can say in a dead letter where it comes from. */
export function thrown(step: string, error: unknown): Error {
  if (error instanceof Error || types.isNativeError(error)) return error;
  return new ActorContractError(`${step}() threw ${shown(error)}: throw an Error that says what is wrong`);
}

function shown(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 60 });
}
