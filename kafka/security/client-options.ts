// Turns the security of a cluster into the options of each client library. The only place that does.

import { isIP } from 'node:net';
import type { SASLOptions as PlatformaticSasl } from '@platformatic/kafka';
import type { KafkaConfig, SASLOptions } from 'kafkajs';
import { hostOf, type KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { type KafkaSecurity, usesSasl, usesTls } from '../../contracts/config/kafka-security.ts';
import { secretOf } from './credentials.ts';
import { oauthToken } from './oauth-token.ts';
import { tlsContext } from './tls-context.ts';

/*
 * Both libraries read these options for each new connection: kafkajs through the properties of the object, @platformatic/kafka by
 * spreading `tls` and by calling functions. So getters and functions here give what the files have at that moment.
 */

/** Options of a kafkajs client. */
export function kafkajsOptions({ brokers, security }: KafkaCluster): Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl'> {
  return {
    brokers: [...brokers],
    ...(usesTls(security) ? { ssl: liveTls(security) } : {}),
    ...(usesSasl(security) ? { sasl: kafkajsSasl(security) } : {}),
  };
}

/** Options of a client of @platformatic/kafka. */
export function platformaticOptions({ brokers, security }: KafkaCluster) {
  return {
    bootstrapBrokers: [...brokers],
    ...(usesTls(security) ? { tls: liveTls(security), tlsServerName: hasNames(brokers) } : {}),
    ...(usesSasl(security) ? { sasl: platformaticSasl(security) } : {}),
  };
}

function liveTls(security: KafkaSecurity) {
  return {
    get secureContext() {
      return tlsContext(security);
    },
  };
}

function kafkajsSasl(security: KafkaSecurity): SASLOptions {
  const { mechanism, username = '' } = security;
  if (mechanism === 'OAUTHBEARER')
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await oauthToken(security) }) };
  const user = {
    username,
    get password() {
      return secretOf(security);
    },
  };
  // Each property is defined by itself, because a spread would read the password now.
  if (mechanism === 'SCRAM-SHA-256')
    return Object.defineProperty(user, 'mechanism', { value: 'scram-sha-256' }) as never;
  if (mechanism === 'SCRAM-SHA-512')
    return Object.defineProperty(user, 'mechanism', { value: 'scram-sha-512' }) as never;
  return Object.defineProperty(user, 'mechanism', { value: 'plain' }) as never;
}

function platformaticSasl(security: KafkaSecurity): PlatformaticSasl {
  const { mechanism = 'PLAIN', username = '' } = security;
  return mechanism === 'OAUTHBEARER'
    ? { mechanism, token: () => oauthToken(security) }
    : { mechanism, username, password: () => secretOf(security) };
}

/** A broker that is listed by name gets its name in the handshake (SNI), as managed services need it. An address must not be sent there. */
function hasNames(brokers: readonly string[]): boolean {
  return brokers.some((broker) => isIP(hostOf(broker)) === 0);
}
