// Authenticates the connections of @platformatic/kafka, and holds their requests back while a session is renewed. Used by client-options.ts.

import { type Connection, type SASLOptions, saslOAuthBearer, saslPlain, saslScramSha } from '@platformatic/kafka';

type Authenticate = NonNullable<SASLOptions['authenticate']>;
type Send = Connection['send'];

/** Kafka's numbers of SaslHandshake and SaslAuthenticate. */
const renewalRequests: ReadonlySet<number> = new Set([17, 36]);

/**
 * A broker with `connections.max.reauth.ms`, and every broker that takes tokens, ends a session after a while. The client renews it on the
 * open connection: SaslHandshake, then SaslAuthenticate once or twice. Between them the broker takes nothing else: any other request is
 * answered with ILLEGAL_SASL_STATE, and the connection is closed. The library goes on sending meanwhile (version 2.12.1), so a
 * connection under load loses requests at each renewal. Here these requests wait for the end of the renewal, a few milliseconds.
 * The first authentication installs that: no other request is sent before it ends.
 */
export const authenticate: Authenticate = (mechanism, connection, api, username = '', password = '', token, done) => {
  holdRequestsWhileRenewing(connection);
  if (mechanism === 'OAUTHBEARER') saslOAuthBearer.authenticate(api, connection, token ?? '', {}, done);
  else if (mechanism === 'PLAIN') saslPlain.authenticate(api, connection, username, password, done);
  else {
    const algorithm = mechanism === 'SCRAM-SHA-256' ? 'SHA-256' : 'SHA-512';
    saslScramSha.authenticate(api, connection, algorithm, username, password, saslScramSha.defaultCrypto, done);
  }
};

const prepared = new WeakSet<Connection>();

function holdRequestsWhileRenewing(connection: Connection): void {
  if (prepared.has(connection)) return;
  prepared.add(connection);
  const send = connection.send.bind(connection) as (...request: Parameters<Send>) => void;
  const renew = connection.reauthenticate.bind(connection);
  let held: Parameters<Send>[] | undefined;
  connection.reauthenticate = () => {
    held ??= [];
    renew();
  };
  connection.send = ((...request: Parameters<Send>) => {
    if (held === undefined || renewalRequests.has(request[0])) send(...request);
    else held.push(request);
  }) as Send;
  // On a connection that ended, the library answers each request with an error, and its caller tries again.
  const release = () => {
    const requests = held ?? [];
    held = undefined;
    for (const request of requests) send(...request);
  };
  for (const event of ['sasl:authentication:extended', 'error', 'close'] as const) connection.on(event, release);
}
