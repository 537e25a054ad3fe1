// Reads the file with the addresses of both regions. Used by `ordermesh region`.

import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import { ConfigError } from '../contracts/config/config.ts';
import type { KafkaCluster } from '../contracts/config/kafka-cluster.ts';
import { saslMechanisms, securityProtocols } from '../contracts/config/kafka-protocols.ts';
import { faultsOf, type KafkaSecurity, type SettingNames } from '../contracts/config/kafka-security.ts';
import { isHostPort } from '../contracts/config/kinds.ts';
import type { Secret } from '../contracts/config/secret.ts';
import { compileValidator } from '../contracts/validation.ts';

/** Secrets are in files, so that this file has none. A relative path starts at this file. */
const kafkaSecurity = Type.Object(
  {
    protocol: Type.Union(securityProtocols.map((name) => Type.Literal(name))),
    mechanism: Type.Optional(Type.Union(saslMechanisms.map((name) => Type.Literal(name)))),
    username: Type.Optional(Type.String({ minLength: 1 })),
    passwordFile: Type.Optional(Type.String({ minLength: 1 })),
    tokenEndpoint: Type.Optional(Type.String({ pattern: '^https?://' })),
    scope: Type.Optional(Type.String({ minLength: 1 })),
    caFile: Type.Optional(Type.String({ minLength: 1 })),
    certFile: Type.Optional(Type.String({ minLength: 1 })),
    keyFile: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);

const region = Type.Object(
  {
    brokers: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    /** How this region's Kafka is reached; without it as the variables KAFKA_… say. */
    kafka: Type.Optional(kafkaSecurity),
    databaseUrl: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
    /** Holds the URL instead, since it has a password. */
    databaseUrlFile: Type.Optional(Type.String({ minLength: 1 })),
    /** IP address that the mesh's name gets while this region is active. */
    address: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false },
);

const rfc2136 = Type.Object(
  {
    /** `host:port` of the zone's primary server. */
    server: Type.String({ pattern: ':\\d+$' }),
    zone: Type.String({ minLength: 1 }),
    key: Type.Object(
      {
        name: Type.String({ minLength: 1 }),
        /** Holds the secret in base64. */ secretFile: Type.String({ minLength: 1 }),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

/** A program of the operator's that changes the name at a provider: gets the name, the address and the time to live as arguments. */
const command = Type.Object(
  { command: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }) },
  { additionalProperties: false },
);

const regionsSchema = Type.Object(
  {
    regions: Type.Record(Type.String(), region, { minProperties: 2, maxProperties: 2 }),
    /** Where stores send their orders, whichever region is active. */
    publicUrl: Type.String({ pattern: '^https?://' }),
    ttlSeconds: Type.Integer({ minimum: 1, maximum: 3_600 }),
    dns: Type.Union([rfc2136, command]),
  },
  { additionalProperties: false },
);

type RegionsFile = Static<typeof regionsSchema>;
export interface RegionAddresses {
  name: string;
  cluster: KafkaCluster;
  database: { url: Secret };
  address: string;
}
export type DnsSettings = RegionsFile['dns'];

export interface Regions {
  byName: ReadonlyMap<string, RegionAddresses>;
  publicUrl: URL;
  ttlSeconds: number;
  dns: DnsSettings;
}

const validate = compileValidator(regionsSchema);

/**
 * @param own how a region's Kafka is reached that says nothing about it
 * @throws ConfigError naming the file and what is wrong in it
 */
export async function readRegions(file: string, own: KafkaSecurity = { protocol: 'PLAINTEXT' }): Promise<Regions> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new ConfigError(`the regions file ${file} cannot be read: ${error.message}`);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`the regions file ${file} is not JSON: ${(error as Error).message}`);
  }
  const checked = validate(content);
  if (!checked.ok) {
    const faults = checked.errors.map(({ pointer, detail }) => `${pointer || '/'} ${detail}`);
    throw new ConfigError(`the regions file ${file} is wrong: ${faults.join('; ')}`);
  }
  const { regions, publicUrl, dns, ttlSeconds } = checked.value;
  const names = Object.keys(regions);
  const faults = [...Object.entries(regions).flatMap(regionFaults), ...dnsFaults(dns)];
  if (faults.length > 0) throw new ConfigError(`the regions file ${file} is wrong: ${faults.join('; ')}`);
  if (names.length !== 2) throw new ConfigError(`the regions file ${file} names ${names.length} regions; it takes two`);
  return {
    byName: new Map(
      Object.entries(regions).map(([name, { brokers, kafka, databaseUrl, databaseUrlFile = '', address }]) => {
        const security = kafka === undefined ? own : securityIn(kafka, path.dirname(file));
        const url =
          databaseUrl === undefined
            ? { file: path.resolve(path.dirname(file), databaseUrlFile) }
            : { text: databaseUrl };
        return [name, { name, cluster: { brokers, security }, database: { url }, address }];
      }),
    ),
    publicUrl: new URL(publicUrl),
    ttlSeconds,
    dns:
      'key' in dns
        ? { ...dns, key: { ...dns.key, secretFile: path.resolve(path.dirname(file), dns.key.secretFile) } }
        : dns,
  };
}

/** @param directory that relative paths start at */
function securityIn({ passwordFile, ...kafka }: Static<typeof kafkaSecurity>, directory = '.'): KafkaSecurity {
  const at = (file: string | undefined) => (file === undefined ? undefined : path.resolve(directory, file));
  const files = { caFile: at(kafka.caFile), certFile: at(kafka.certFile), keyFile: at(kafka.keyFile) };
  return { ...kafka, ...files, ...(passwordFile === undefined ? {} : { password: { file: at(passwordFile) ?? '' } }) };
}

function namesIn(at: string): SettingNames {
  const same = ['protocol', 'mechanism', 'username', 'tokenEndpoint', 'scope', 'caFile', 'certFile', 'keyFile'];
  return {
    ...Object.fromEntries(same.map((name) => [name, at + name])),
    password: `${at}passwordFile`,
  } as SettingNames;
}

function regionFaults([name, { brokers, address, kafka, databaseUrl, databaseUrlFile }]: [
  string,
  Static<typeof region>,
]): string[] {
  const at = `/regions/${name}`;
  return [
    ...brokers.flatMap((broker, n) => (isHostPort(broker) ? [] : [`${at}/brokers/${n} is ${broker}, not host:port`])),
    ...(kafka === undefined ? [] : faultsOf(securityIn(kafka), namesIn(`${at}/kafka/`))),
    ...((databaseUrl === undefined) === (databaseUrlFile === undefined)
      ? [`${at} takes either databaseUrl or databaseUrlFile`]
      : []),
    ...(isIP(address) === 0 ? [`${at}/address is ${address}, not an IP address`] : []),
  ];
}

function dnsFaults(dns: DnsSettings): string[] {
  return 'server' in dns && !isHostPort(dns.server) ? [`/dns/server is ${dns.server}, not host:port`] : [];
}

/** The region of that name and the other one. @throws ConfigError when there is none of that name */
export function pairOf({ byName }: Regions, name: string): { region: RegionAddresses; other: RegionAddresses } {
  const found = byName.get(name);
  const other = [...byName.values()].find((candidate) => candidate.name !== name);
  if (found === undefined || other === undefined)
    throw new ConfigError(`there is no region ${name}; the regions file has ${[...byName.keys()].join(' and ')}`);
  return { region: found, other };
}
