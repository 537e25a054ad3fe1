// Finds out why a TLS connection was closed. Used where @platformatic/kafka is used.

import { connect, type SecureContext } from 'node:tls';
import { hostOf, type KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { usesTls } from '../../contracts/config/kafka-security.ts';
import { causesOf, refusalIn } from './refusals.ts';
import { tlsContext } from './tls-context.ts';

const CLOSED = 'Connection closed';
/** The alert follows the handshake at once; a broker that is content stays silent. */
const ALERT_MS_MAX = 1_000;

/**
 * With TLS 1.3 a client has finished the handshake before the broker looks at the client's certificate, so a refusal comes afterwards, as an
 * alert (RFC 8446, 4.4.2.4). @platformatic/kafka drops it, and its requests fail as if the broker had gone. So after such a failure each
 * broker is connected to once more, to read the alert.
 * @returns the alert where there is one, otherwise the same error
 */
export async function withAlert({ brokers, security }: KafkaCluster, error: Error): Promise<Error> {
  const isClosed = [...causesOf(error)].some(({ message }) => message === CLOSED);
  if (!usesTls(security) || !isClosed || refusalIn(error) !== undefined) return error;
  const alerts = await Promise.all(brokers.map((broker) => alertOf(broker, tlsContext(security))));
  return alerts.find((alert) => alert !== undefined && refusalIn(alert) !== undefined) ?? error;
}

function alertOf(broker: string, secureContext: SecureContext): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      host: hostOf(broker),
      port: Number(broker.slice(broker.lastIndexOf(':') + 1)),
      secureContext,
      timeout: ALERT_MS_MAX,
    });
    const end = (error?: Error) => {
      resolve(error);
      socket.destroy();
    };
    socket.once('error', end);
    socket.once('close', () => end());
    socket.once('timeout', () => end());
    socket.resume();
  });
}
