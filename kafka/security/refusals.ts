// Tells a refusal of Kafka from an outage, in the errors of both client libraries, and counts refusals. Used throughout this room.

import { Counter, type Registry } from 'prom-client';
import { KafkaRefusedError, KafkaUnavailableError, type RefusalReason } from '../errors.ts';

const reasons: readonly RefusalReason[] = ['authentication', 'authorization', 'tls'];
const counts = new Map<RefusalReason, number>(reasons.map((reason) => [reason, 0]));

/** Counts a refusal and makes its error. The message says which proof or right Kafka wants. */
export function refused(reason: RefusalReason, message: string, cause?: unknown): KafkaRefusedError {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return new KafkaRefusedError(reason, message, cause === undefined ? {} : { cause });
}

/** Registers `ordermesh_kafka_refusals_total` of this thread. */
export function registerRefusals(registry: Registry): void {
  new Counter({
    name: 'ordermesh_kafka_refusals_total',
    help: 'Requests and connections that Kafka refused, by what an operator must correct: authentication, authorization or tls.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of counts) this.inc({ reason }, count);
    },
  });
}

/** An error of a client as an error of this room: a refusal if Kafka refuses, otherwise an outage. */
export function kafkaError(action: string, error: unknown, name?: string): KafkaUnavailableError {
  if (error instanceof KafkaRefusedError) return error;
  const refusal = refusalIn(error);
  if (refusal !== undefined) return refused(refusal.reason, `${action}: ${refusal.text}`, error);
  const reason = name ?? (error instanceof Error ? error.message : String(error));
  return new KafkaUnavailableError(`${action}: ${reason}`, { cause: error });
}

/** What an error says, for a log: the refusal if Kafka refuses, which is counted, otherwise the error's message. */
export function textOf(error: unknown): string {
  const refusal = refusalIn(error);
  if (refusal !== undefined) return refused(refusal.reason, refusal.text).message;
  return error instanceof Error ? error.message : String(error);
}

export interface Refusal {
  reason: RefusalReason;
  /** What is refused and what would be right, in a few words. */
  text: string;
}

/** The refusal in an error of one of the client libraries; `undefined` for an outage and for every other error. */
export function refusalIn(error: unknown): Refusal | undefined {
  const all = [...causesOf(error)];
  // A password file or a token endpoint that fails is wrapped by the client as if the broker had refused.
  const own = all.find((one) => one instanceof KafkaUnavailableError && !(one instanceof KafkaRefusedError));
  if (own !== undefined && all.indexOf(own) > 0) return undefined;
  for (const one of all) {
    const found = ownRefusal(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Errors about certificates and the TLS protocol, from OpenSSL and Node. */
const tlsCodes =
  /^(ERR_(TLS|SSL)_[A-Z0-9_/]+|EPROTO|CERT_[A-Z_]+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE)|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE))$/;
const authenticationNames = /^(SASL_AUTHENTICATION_FAILED|UNSUPPORTED_SASL_MECHANISM|ILLEGAL_SASL_STATE)$/;
const rights: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'the user lacks a right to a topic',
  GROUP_AUTHORIZATION_FAILED: 'the user lacks a right to a consumer group',
  CLUSTER_AUTHORIZATION_FAILED: 'the user lacks a right to the cluster',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'the user lacks a right to a transactional id',
};

/** What a protocol error refuses, by its name; `undefined` for every other error. */
export function refusalNamed(name: string): Refusal | undefined {
  if (authenticationNames.test(name)) return { reason: 'authentication', text: wrongUser(name) };
  const right = rights[name];
  return right === undefined
    ? undefined
    : { reason: 'authorization', text: `refused (authorization): ${right} (${name})` };
}

function ownRefusal(error: Error): Refusal | undefined {
  if (error instanceof KafkaRefusedError) return { reason: error.reason, text: error.message };
  const { code, type, apiId } = error as { code?: unknown; type?: unknown; apiId?: unknown };
  for (const name of [type, apiId]) {
    const found = typeof name === 'string' ? refusalNamed(name) : undefined;
    if (found !== undefined) return found;
  }
  if (typeof code === 'string' && tlsCodes.test(code))
    return { reason: 'tls', text: `refused (tls): ${error.message} (${code})` };
  if (/Broker requires TLS|the broker answers with TLS/.test(error.message))
    return {
      reason: 'tls',
      text: 'refused (tls): the broker takes TLS only; set the security protocol to SSL or SASL_SSL',
    };
  // kafkajs has one error for every end of an authentication, also for a connection that was lost meanwhile.
  const isAuthentication = error.name === 'KafkaJSSASLAuthenticationError' || code === 'PLT_KFK_AUTHENTICATION';
  if (isAuthentication && !/connection|closed|timed out|timeout|socket/i.test(error.message))
    return { reason: 'authentication', text: wrongUser(error.message) };
  return undefined;
}

function wrongUser(detail: string): string {
  return `refused (authentication): Kafka does not accept the user with this password or token (${detail})`;
}

const DEPTH_MAX = 8;

/** The error, its causes and the errors that it gathers, from the outside to the inside. */
export function* causesOf(error: unknown, depth = 0): Generator<Error> {
  if (!(error instanceof Error) || depth > DEPTH_MAX) return;
  yield error;
  const { errors } = error as { errors?: unknown };
  if (Array.isArray(errors)) for (const inner of errors) yield* causesOf(inner, depth + 1);
  yield* causesOf(error.cause, depth + 1);
}
