// Every environment variable of Ordermesh. config.ts reads them, and docs/configuration.md is made from them.

import { availableParallelism } from 'node:os';
import { limits } from '../limits.ts';
import { saslMechanisms, securityProtocols } from './kafka-protocols.ts';
import {
  adminToken,
  bytes,
  databaseUrl,
  duration,
  durationBetween,
  durationFrom,
  flag,
  fraction,
  hostPorts,
  integer,
  type Kind,
  longDuration,
  oneOf,
  origins,
  port,
  someOf,
  text,
  url,
} from './kinds.ts';

export interface Variable<T> {
  kind: Kind<T>;
  /** Without it the variable is optional, and its value may be `undefined`. */
  default?: string;
  doc: string;
}

/** A variable that may also be given as a file, by its name with `_FILE`. It is optional. */
export interface SecretVariable {
  kind: Kind<string>;
  isSecret: true;
  doc: string;
}

function required<T>(kind: Kind<T>, fallback: string, doc: string): Variable<T> & { default: string } {
  return { kind, default: fallback, doc };
}

function optional<T>(kind: Kind<T>, doc: string): Variable<T> {
  return { kind, doc };
}

function secret(kind: Kind<string>, doc: string): SecretVariable {
  return { kind, isSecret: true, doc };
}

/** Every variable of the product: one table for validation and for `docs/configuration.md`. */
export const variables = {
  KAFKA_BROKERS: optional(
    hostPorts('host:port of the bootstrap brokers'),
    'Kafka brokers; without it `up` starts its own.',
  ),
  KAFKA_SECURITY_PROTOCOL: required(
    oneOf(...securityProtocols),
    'PLAINTEXT',
    'How Kafka is reached: with TLS or without, with a user or without; docs/operations/secured-kafka.md.',
  ),
  KAFKA_SASL_MECHANISM: optional(oneOf(...saslMechanisms), 'How the user proves who it is; needed with SASL.'),
  KAFKA_SASL_USERNAME: optional(text('a user'), 'User of SASL; with OAUTHBEARER the client id.'),
  KAFKA_SASL_PASSWORD: secret(
    text('a password'),
    'Password of KAFKA_SASL_USERNAME; with OAUTHBEARER the client secret.',
  ),
  KAFKA_SASL_OAUTH_TOKEN_ENDPOINT_URL: optional(
    url('https', 'http'),
    'Where OAUTHBEARER gets its tokens, with the grant of client credentials.',
  ),
  KAFKA_SASL_OAUTH_SCOPE: optional(text('a scope'), 'Scope that is asked for with each token.'),
  KAFKA_SSL_CA_FILE: optional(
    text('a file path'),
    'PEM certificates of the authorities that sign for the brokers; without it those of Node. Read again for each new connection.',
  ),
  KAFKA_SSL_CERT_FILE: optional(
    text('a file path'),
    'PEM certificate chain with which clients show themselves to the brokers; needs KAFKA_SSL_KEY_FILE.',
  ),
  KAFKA_SSL_KEY_FILE: optional(text('a file path'), 'PEM private key of KAFKA_SSL_CERT_FILE.'),
  DATABASE_URL: secret(
    databaseUrl(),
    'PostgreSQL; without it `up` starts its own. `sslmode` in it says what TLS proves: docs/operations/database.md.',
  ),
  DATABASE_SSL_CA_FILE: optional(
    text('a file path'),
    "PEM certificates of the authorities that may have signed the database's certificate. With it and without `sslmode` in DATABASE_URL, authority and host name are checked.",
  ),
  DATABASE_SSL_CERT_FILE: optional(
    text('a file path'),
    'PEM certificate of the client, for a database that asks for one; with DATABASE_SSL_KEY_FILE.',
  ),
  DATABASE_SSL_KEY_FILE: optional(text('a file path'), 'PEM private key of DATABASE_SSL_CERT_FILE.'),
  ORDERMESH_STACK_DATABASE: required(
    oneOf('plain', 'tls-roles'),
    'plain',
    'How the stack starts its own PostgreSQL: `plain`, one role for everything, or `tls-roles`, with TLS alone and a login for each kind of process, as a production database has them.',
  ),
  ORDERMESH_MIGRATE: required(
    oneOf('auto', 'off'),
    'auto',
    'Whether a role or command whose login owns the tables migrates the database when it starts. Other logins wait for `ordermesh migrate`.',
  ),
  ORDERMESH_MIGRATION_DATABASE_URL: secret(
    databaseUrl(),
    'PostgreSQL as the owner of the tables, for `ordermesh migrate`; DATABASE_URL by default.',
  ),
  GOOGLE_CLOUD_PROJECT: required(
    text('a Google Cloud project id'),
    'ordermesh-local',
    'Project of Pub/Sub and BigQuery.',
  ),
  PUBSUB_EMULATOR_HOST: optional(
    text('host:port'),
    'Pub/Sub emulator; set by `up` when it starts one. Without it the real service is used.',
  ),
  BIGQUERY_EMULATOR_HOST: optional(
    text('host:port or http URL'),
    'BigQuery emulator; set by `up` when it starts one. Without it the real service is used.',
  ),
  REGION: required(text('a region name'), 'local', 'Name of this region, answered as x-ordermesh-region.'),
  ORDERMESH_PEER_BROKERS: optional(
    hostPorts('host:port of bootstrap brokers'),
    'Kafka brokers of the other region. With it the roles work only while topic `region-state` names this REGION the active one; without it there is one region.',
  ),
  ORDERMESH_PEER_KAFKA_SECURITY_PROTOCOL: optional(
    oneOf(...securityProtocols),
    'How the Kafka of the other region is reached. Without it the other region takes the same settings as this one; with it, the variables ORDERMESH_PEER_KAFKA_… alone.',
  ),
  ORDERMESH_PEER_KAFKA_SASL_MECHANISM: optional(oneOf(...saslMechanisms), 'KAFKA_SASL_MECHANISM of the other region.'),
  ORDERMESH_PEER_KAFKA_SASL_USERNAME: optional(text('a user'), 'KAFKA_SASL_USERNAME of the other region.'),
  ORDERMESH_PEER_KAFKA_SASL_PASSWORD: secret(text('a password'), 'KAFKA_SASL_PASSWORD of the other region.'),
  ORDERMESH_PEER_KAFKA_SASL_OAUTH_TOKEN_ENDPOINT_URL: optional(
    url('https', 'http'),
    'KAFKA_SASL_OAUTH_TOKEN_ENDPOINT_URL of the other region.',
  ),
  ORDERMESH_PEER_KAFKA_SASL_OAUTH_SCOPE: optional(text('a scope'), 'KAFKA_SASL_OAUTH_SCOPE of the other region.'),
  ORDERMESH_PEER_KAFKA_SSL_CA_FILE: optional(text('a file path'), 'KAFKA_SSL_CA_FILE of the other region.'),
  ORDERMESH_PEER_KAFKA_SSL_CERT_FILE: optional(text('a file path'), 'KAFKA_SSL_CERT_FILE of the other region.'),
  ORDERMESH_PEER_KAFKA_SSL_KEY_FILE: optional(text('a file path'), 'KAFKA_SSL_KEY_FILE of the other region.'),
  ORDERMESH_REGIONS_FILE: optional(
    text('a file path'),
    'JSON file with the addresses of both regions, for `ordermesh region`; docs/operations/failover.md shows one.',
  ),
  TLS_CERT_FILE: optional(
    text('a file path'),
    'PEM certificate chain of the gateway and the display; with TLS_KEY_FILE they serve HTTPS.',
  ),
  TLS_KEY_FILE: optional(text('a file path'), 'PEM private key of TLS_CERT_FILE.'),
  TLS_CLIENT_CA_FILE: optional(
    text('a file path'),
    'PEM certificates of the authorities whose client certificates stand for a store, as an alternative to a token; with it the gateway asks for one.',
  ),
  ORDERMESH_DATA_DIR: required(
    text('a directory'),
    '.data',
    'Where the embedded stack and the development issuer keep their files.',
  ),
  ORDERMESH_CACHE_DIR: optional(
    text('a directory'),
    "Where downloads of the embedded stack are kept for every checkout; without it `ordermesh` in the user's cache directory.",
  ),
  ORDERMESH_PUBSUB_EMULATOR_JAR: optional(
    text('a file path'),
    "Jar of Google's Pub/Sub emulator; without it the gcloud component `pubsub-emulator` is looked for.",
  ),
  ORDERMESH_STACK_KAFKA: required(
    oneOf('plaintext', 'sasl-ssl'),
    'plaintext',
    'How the embedded stack starts its Kafka: open to everyone on this machine, or with TLS, a user for each role, and ACLs.',
  ),
  ORDERMESH_LOG_LEVEL: required(
    oneOf('debug', 'info', 'warn', 'error', 'silent'),
    'info',
    'Lowest level that is logged.',
  ),
  ORDERMESH_HOST: required(
    text('an address to listen on'),
    '127.0.0.1',
    'Address that every role listens on. Its admin port has ORDERMESH_ADMIN_HOST.',
  ),
  ORDERMESH_ADMIN_PORT: optional(port(), 'Admin port of the role; gateway 9464 and one up for each role by default.'),
  ORDERMESH_ADMIN_HOST: required(
    text('an address to listen on'),
    '127.0.0.1',
    'Address of the admin port (`/metrics`, `/healthz`, `/readyz`, `/debug`). Beyond loopback a role starts only with ORDERMESH_ADMIN_TOKEN.',
  ),
  ORDERMESH_ADMIN_TOKEN: secret(
    adminToken(),
    'Bearer token that a reader of the admin port sends, also as the password of HTTP Basic. With it `/healthz` and the status of `/readyz` stay open; all else of the port, and the reasons on `/readyz`, need it.',
  ),
  ORDERMESH_ALLOW_SIMULATION: required(
    flag(),
    'off',
    'For a trial: `on` lets roles beyond loopback run with the development issuer, with simulated payments and with pushes whose sender is not checked. They say so in the log, on `/readyz` and in `ordermesh_simulation`.',
  ),
  ORDERMESH_PARTITIONS: required(integer(1, 1_000), '12', 'Partitions of a topic when `topics apply` creates it.'),
  ORDERMESH_REPLICATION_FACTOR: required(integer(1, 7), '1', 'Replication factor of created topics; 3 in production.'),
  ORDERMESH_MIN_INSYNC_REPLICAS: required(
    integer(1, 7),
    '1',
    '`min.insync.replicas` of created topics; 2 in production.',
  ),
  ORDERMESH_PRODUCE_DEADLINE: required(
    durationFrom('100ms'),
    '10s',
    'An append that Kafka has not acknowledged by then is answered with 503.',
  ),
  ORDERMESH_PRODUCE_LINGER: required(
    duration(),
    '5ms',
    'Shortest time between two produce requests of few orders; one that comes alone does not wait. 0ms: each leaves when the one before it is answered.',
  ),
  ORDERMESH_GATEWAY_PORT: required(port(), '8080', 'HTTP and WebSocket port of the gateway.'),
  ORDERMESH_GRPC_PORT: required(port(), '8081', 'gRPC port of the gateway.'),
  ORDERMESH_DISPLAY_PORT: required(port(), '8090', 'Port of the kitchen display, its page and its WebSocket.'),
  ORDERMESH_DISPLAY_AUTH: required(
    oneOf('auto', 'on', 'off'),
    'auto',
    'Whether a screen must be paired before it shows tickets and takes bumps: `ordermesh display pair`. `auto`: on, except while ORDERMESH_HOST is a loopback address. `off` is refused beyond loopback.',
  ),
  ORDERMESH_DISPLAY_DUE_AFTER: required(longDuration(), '3m', 'Age at which a ticket on the display is marked as due.'),
  ORDERMESH_DISPLAY_LATE_AFTER: required(
    longDuration(),
    '5m',
    'Age at which a ticket on the display is marked as late.',
  ),
  ORDERMESH_UNANSWERED_ORDERS_MAX: required(
    integer(1, 10_000_000),
    '50000',
    'Orders in flight in one gateway process before it answers 503.',
  ),
  ORDERMESH_UNANSWERED_BYTES_MAX: required(
    bytes('256KiB'),
    '128MiB',
    'Bytes of orders in flight in one gateway process before it answers 503.',
  ),
  ORDERMESH_UNANSWERED_AGE_MAX: required(
    durationFrom('100ms'),
    '5s',
    'Age of the oldest order in flight from which a gateway process takes only as many orders as it answers within this time.',
  ),
  ORDERMESH_ORDER_SCANNER: required(
    flag(),
    'on',
    'For an incident: `off` makes the gateway decode every order and check it against the schema, without the scanner that reads most orders off their bytes. The same orders are accepted, at a lower rate.',
  ),
  ORDERMESH_UPLOAD_TIMEOUT: required(
    durationBetween('1s', '1h'),
    '1m',
    'A request body that has not arrived in full by then is answered with 408, however slow or fast it comes.',
  ),
  ORDERMESH_STREAM_IDLE_TIMEOUT: required(
    durationBetween('8s', '16m'),
    '1m',
    'A WebSocket on which nothing came for so long is closed; a silent one is pinged before. In steps of 4 s.',
  ),
  ORDERMESH_GATEWAY_PROCESSES: required(
    integer(0, 256),
    '1',
    'Processes of a gateway on one port; 0 is one a core. Also `ordermesh gateway --processes`.',
  ),
  ORDERMESH_CORS_ORIGINS: optional(origins(), 'Web origins whose pages may call the gateway; none by default.'),
  ORDERMESH_STORE_ORDERS_PER_SECOND: required(
    integer(0, 1_000_000),
    '0',
    'Orders a second that one gateway process takes of one store before it answers 429; 0 is no limit.',
  ),
  ORDERMESH_DEVICE_ORDERS_PER_SECOND: required(
    integer(0, 1_000_000),
    '0',
    'The same for one device: the `sub` of a token, or its `jti`; the subject of a client certificate.',
  ),
  ORDERMESH_STORE_READS_PER_SECOND: required(
    integer(0, 1_000_000),
    '0',
    'Questions for the status of orders a second that one gateway process answers to one store before it answers 429; 0 is no limit.',
  ),
  ORDERMESH_RATE_BURST: required(
    duration(),
    '10s',
    'How long a quiet store or device saves up what it did not use of its rate.',
  ),
  ORDERMESH_RECENT_ORDERS_MAX: required(
    integer(2, 10_000_000),
    '200000',
    'Accepted orders that one gateway remembers, to know a repeated orderId; about 200 bytes each.',
  ),
  ORDERMESH_RECENT_AGE: required(longDuration(), '10m', 'How long the gateway remembers an accepted order at most.'),
  ORDERMESH_TOKENS_CACHED_MAX: required(
    integer(2, 1_000_000),
    '10000',
    'Verified tokens that one gateway remembers until they expire.',
  ),
  ORDERMESH_AUTH: required(
    flag(),
    'on',
    'Off accepts requests without a token, and only while listening on a loopback address.',
  ),
  ORDERMESH_JWKS: optional(
    text('a file path or http(s) URL'),
    'Keys that sign tokens; read again when the file changes, a URL every 20 s. Without it the development issuer in the data directory.',
  ),
  ORDERMESH_REVOKED_TOKENS_FILE: optional(
    text('a file path'),
    'Ids (`jti`) of tokens and SHA-256 fingerprints of client certificates that are not accepted any more, one a line, and rules: `store <id>`, `device <sub>`, `before <time>`; read again when it changes. With it every token needs a `jti`.',
  ),
  ORDERMESH_JWT_ISSUER: required(text('an issuer'), 'ordermesh-dev', 'Required `iss` of tokens.'),
  ORDERMESH_JWT_AUDIENCE: required(text('an audience'), 'ordermesh', 'Required `aud` of tokens.'),
  ORDERMESH_JWT_CLOCK_TOLERANCE: required(
    durationBetween('0ms', '5m'),
    '30s',
    'How far the clock of the issuer of tokens may be from ours: a token counts from this long before its `nbf` until this long after its `exp`.',
  ),
  ORDERMESH_SLOTS: required(
    integer(1, 256),
    String(availableParallelism()),
    'Worker threads of a worker process, one a core slot.',
  ),
  ORDERMESH_TURN_SIZE_MAX: required(integer(1, 10_000), '1000', 'Most messages whose effects share one transaction.'),
  ORDERMESH_PREPARES_MAX: required(
    integer(1, 100_000),
    '1024',
    'Most calls of third parties (`prepare` of an actor) that one worker thread has in flight. How many it really has follows the latency and the refusals of the third party.',
  ),
  ORDERMESH_PREPARE_DEADLINE: required(
    durationBetween('1s', '1h'),
    '30s',
    'A call of a third party (`prepare` of an actor) that has not returned by then counts as an outage and is made again.',
  ),
  ORDERMESH_MAILBOX_MESSAGES_MAX: required(
    integer(1, 10_000_000),
    '20000',
    'Messages of one partition in flight before it is paused.',
  ),
  ORDERMESH_MAILBOX_BYTES_MAX: required(
    bytes('256KiB'),
    '16MiB',
    'Bytes of one partition in flight before it is paused.',
  ),
  ORDERMESH_RETRY_BACKOFF: required(
    durationFrom('1ms'),
    '100ms',
    'Wait before the first retry of a failing message; doubles with each.',
  ),
  ORDERMESH_FETCH_INTERVAL: required(
    duration(),
    '30ms',
    'Wait between fetches while they bring little: larger turns, at the cost of this much latency per step.',
  ),
  ORDERMESH_COMMIT_INTERVAL: required(durationFrom('10ms'), '200ms', 'How often the frontier is committed.'),
  ORDERMESH_DRAIN_TIMEOUT: required(duration(), '5s', 'Longest wait for work in flight on revocation and shutdown.'),
  ORDERMESH_DEAD_LETTERS_KEPT: required(
    longDuration(),
    '90d',
    'Dead letters that were replayed or discarded leave PostgreSQL after this time; longer than the dead-letter topics keep them. What is parked stays.',
  ),
  ORDERMESH_SLOT_SILENCE_MAX: required(
    durationFrom('1s'),
    '30s',
    'A thread whose event loop stands still for longer is ended and replaced: its actor never returns.',
  ),
  ORDERMESH_BRIDGE_EVENTS: required(
    someOf('order.paid', 'order.payment-failed', 'order.cooking', 'order.cooked', 'order.recalled'),
    'order.paid,order.payment-failed,order.cooked,order.recalled',
    'Event types that the bridge publishes to Pub/Sub; without `order.recalled` the warehouse calls a recalled order cooked. `order.validated` stays inside: it carries payment tokens.',
  ),
  ORDERMESH_BRIDGE_MIN_TOTAL: required(
    integer(0, limits.amountMax),
    '4000',
    'Smallest order total, in minor units, whose events the bridge publishes; 0 publishes them all.',
  ),
  ORDERMESH_BRIDGE_FETCH_INTERVAL: required(
    duration(),
    '100ms',
    '`ORDERMESH_FETCH_INTERVAL` of the bridge, whose readers are in less of a hurry than a kitchen.',
  ),
  ORDERMESH_BRIDGE_OUTSTANDING_MESSAGES_MAX: required(
    integer(1, 100_000),
    '1000',
    'Messages that a bridge thread has in flight to Pub/Sub.',
  ),
  ORDERMESH_BRIDGE_OUTSTANDING_BYTES_MAX: required(
    bytes('256KiB'),
    '16MiB',
    'Bytes that a bridge thread has in flight to Pub/Sub.',
  ),
  ORDERMESH_BRIDGE_PUBLISH_DEADLINE: required(
    durationFrom('100ms'),
    '10s',
    'A publish that Pub/Sub has not acknowledged by then counts as an outage: its partition pauses and tries again.',
  ),
  ORDERMESH_LOYALTY_PORT: required(port(), '8082', 'Port of the loyalty function, to which Pub/Sub pushes.'),
  ORDERMESH_LOYALTY_PUSH_ENDPOINT: optional(
    url('http', 'https'),
    'Where Pub/Sub reaches the loyalty function; by default its own address, which only an emulator can reach.',
  ),
  ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT: optional(
    text('the e-mail address of a service account'),
    'Identity whose OIDC token Pub/Sub sends with each push, and that the loyalty function requires. Without it nothing is checked, and the function starts on a loopback address only, or with ORDERMESH_ALLOW_SIMULATION.',
  ),
  ORDERMESH_LOYALTY_UNITS_PER_POINT: required(
    integer(1, limits.amountMax),
    '100',
    'Minor units of a paid order that earn one loyalty point; a remainder earns nothing.',
  ),
  ORDERMESH_WAREHOUSE_BATCH_ROWS_MAX: required(integer(1, 10_000), '500', 'Most rows of one insert into BigQuery.'),
  ORDERMESH_WAREHOUSE_INSERT_INTERVAL: required(
    duration(),
    '1s',
    'Wait between inserts into BigQuery while their rows do not fill one.',
  ),
  ORDERMESH_WAREHOUSE_OUTSTANDING_MESSAGES_MAX: required(
    integer(1, 1_000_000),
    '5000',
    'Messages that the warehouse holds before it stops pulling.',
  ),
  ORDERMESH_WAREHOUSE_OUTSTANDING_BYTES_MAX: required(
    bytes('256KiB'),
    '32MiB',
    'Bytes that the warehouse holds before it stops pulling.',
  ),
  ORDERMESH_WAREHOUSE_INSERT_TIMEOUT: required(
    durationFrom('100ms'),
    '30s',
    'An insert that BigQuery has not answered by then is repeated.',
  ),
  ORDERMESH_FRAUD_WINDOW: required(
    longDuration(),
    '10m',
    'Length of the windows of order time in which orders of a customer or card are counted.',
  ),
  ORDERMESH_FRAUD_CUSTOMER_ORDERS_MAX: required(
    integer(1, 1_000_000),
    '10',
    'Orders of one customer in a window before further ones are rejected.',
  ),
  ORDERMESH_FRAUD_CARD_ORDERS_MAX: required(
    integer(1, 1_000_000),
    '10',
    'Orders on one payment token in a window before further ones are rejected.',
  ),
  ORDERMESH_FRAUD_AMOUNT_MAX: required(
    integer(1, 100_000_000),
    '50000',
    'Largest total of an order, in minor units; above it the order is rejected.',
  ),
  ORDERMESH_MENU_REPLAY_WINDOW: required(
    longDuration(),
    '24h',
    'An order is judged by the menu that was in force when it was placed, at most this long before it was accepted; an older order by the menu at that time. `menu load` removes versions that no order of this window needs.',
  ),
  ORDERMESH_PAYMENT_PROVIDER: required(
    oneOf('simulated', 'stripe'),
    'simulated',
    'Who moves the money of cards: a simulation with a ledger in PostgreSQL, or Stripe; docs/operations/payments.md.',
  ),
  ORDERMESH_PAYMENT_CALL_DEADLINE: required(
    durationBetween('100ms', '1m'),
    '10s',
    'A call that the payment provider has not answered by then counts as an outage. The next attempt asks what has happened before it charges. Well below ORDERMESH_PREPARE_DEADLINE, since an attempt may take two calls.',
  ),
  STRIPE_SECRET_KEY: secret(
    text('a secret key of Stripe, sk_…, or a restricted one, rk_…'),
    'Key by which payments are made, for ORDERMESH_PAYMENT_PROVIDER=stripe.',
  ),
  STRIPE_API_BASE: required(
    url('https', 'http'),
    'https://api.stripe.com',
    "Address of Stripe's API; another one for a proxy or a stand-in.",
  ),
  STRIPE_WEBHOOK_SECRET: secret(
    text('the signing secret of a webhook endpoint, whsec_…'),
    'With it the payment role takes the webhooks of Stripe, at /webhooks/stripe on ORDERMESH_STRIPE_WEBHOOK_PORT.',
  ),
  ORDERMESH_STRIPE_WEBHOOK_PORT: required(
    port(),
    '8083',
    'Port on which the payment role takes the webhooks of Stripe, without TLS: a proxy that ends TLS stands in front of it.',
  ),
  ORDERMESH_PAYMENT_LATENCY_MEAN: required(duration(), '10ms', 'Mean answer time of the simulated payment provider.'),
  ORDERMESH_PAYMENT_LATENCY_MAX: required(
    duration(),
    '40ms',
    'Longest answer time of the simulated payment provider; the tail ends there.',
  ),
  ORDERMESH_PAYMENT_DECLINE_RATE: required(
    fraction(),
    '0.02',
    'Share of payment tokens that the simulated provider declines; always the same ones.',
  ),
  ORDERMESH_PAYMENT_TIMEOUT_RATE: required(
    fraction(),
    '0.0001',
    'Share of calls whose answer the simulated provider loses; half of them after the charge was made.',
  ),
  ORDERMESH_PAYMENT_LEDGER_URL: secret(
    databaseUrl(),
    'PostgreSQL of the simulated payment provider, which stands outside of every region; DATABASE_URL by default.',
  ),
  ORDERMESH_EDGE_UPSTREAM: optional(
    url('http', 'https'),
    "URL of the region's gateway that the edge agent forwards to; its name is looked up again for every connection, so a DNS flip moves the agent.",
  ),
  ORDERMESH_EDGE_TOKEN_FILE: optional(
    text('a file path'),
    "File with the store's token; read again for every batch. The agent takes orders of this store only.",
  ),
  ORDERMESH_EDGE_SPOOL: optional(
    text('a file path'),
    'Spool of the edge agent; edge/spool.db in the data directory by default.',
  ),
  ORDERMESH_EDGE_UNSENT_ORDERS_MAX: required(
    integer(1, 100_000_000),
    '1000000',
    'Unsent orders in the spool before new ones are refused with 503.',
  ),
  ORDERMESH_EDGE_SPOOL_BYTES_MAX: required(
    bytes(),
    '4GiB',
    'Disk quota of the spool. At the quota the oldest confirmed orders go, then new ones are refused; unsent ones are never dropped.',
  ),
  ORDERMESH_EDGE_DISK_FREE_MIN: required(
    bytes(),
    '64MiB',
    'Free space that the spool leaves on its disk; the same policy as at the quota.',
  ),
  ORDERMESH_EDGE_REPLAY_WINDOW: required(
    longDuration(),
    '24h',
    'How long confirmed orders are kept, to be sent again when the answer names another region (x-ordermesh-region). Counted while the agent runs.',
  ),
  ORDERMESH_EDGE_URGENT_CHANNELS: required(
    someOf('pos', 'kiosk', 'drive-thru', 'app', 'web', 'delivery'),
    'pos,kiosk,drive-thru',
    'Channels whose orders are forwarded first: their guests stand in the restaurant.',
  ),
  ORDERMESH_EDGE_BATCH_ORDERS_MAX: required(
    integer(1, limits.batchOrdersMax),
    String(limits.batchOrdersMax),
    'Most orders in one batch to the region.',
  ),
  ORDERMESH_EDGE_GZIP: required(flag(), 'on', 'Whether batches to the region are packed.'),
  ORDERMESH_EDGE_BANDWIDTH_MAX: optional(
    bytes(),
    'Bytes a second that the agent sends to the region at most; no limit by default.',
  ),
  ORDERMESH_EDGE_ANSWER_TIMEOUT: required(
    durationFrom('100ms'),
    '15s',
    'A batch that the region has not answered by then is sent again, in smaller pieces.',
  ),
  ORDERMESH_EDGE_BACKOFF_MAX: required(
    durationFrom('100ms'),
    '10s',
    'Longest wait between two attempts to reach the region; the first waits are 250 ms and double, with jitter.',
  ),
  ORDERMESH_EDGE_PROBE_INTERVAL: required(
    durationFrom('100ms'),
    '5s',
    'How often an idle agent asks which region it reaches, so that a failover is noticed without new orders.',
  ),
  ORDERMESH_EDGE_MENU_CHECK: required(
    flag(),
    'on',
    'Whether the agent checks orders by the last menu that it has, and refuses at once what the region would reject: prices, items, opening hours, items that are 86’d.',
  ),
  ORDERMESH_EDGE_MENU_REFRESH: required(
    durationFrom('1s'),
    '1m',
    "How often the agent asks for its store's menu at least; changes are told to it at once while the line is up.",
  ),
  ORDERMESH_EDGE_KITCHEN: required(
    oneOf('off', 'cash', 'all'),
    'off',
    "Orders that the store's own display, on ORDERMESH_DISPLAY_PORT of the agent, shows while the line is down, marked as not yet confirmed: none (no display), those paid in cash, or all.",
  ),
  ORDERMESH_EDGE_KITCHEN_AFTER: required(
    duration(),
    '5s',
    'Age from which an order without a ticket of the region is shown while the line is down.',
  ),
  ORDERMESH_EDGE_KITCHEN_TOKEN: secret(
    text('a token of a screen'),
    "Token by which the agent reads the region's kitchen display: `ordermesh display token --store ID` makes it.",
  ),
  ORDERMESH_EDGE_KITCHEN_UPSTREAM: optional(
    url('http', 'https'),
    "URL of the region's kitchen display, whose tickets the store's own display shows while the line is up.",
  ),
} satisfies Record<string, Variable<unknown> | SecretVariable>;
