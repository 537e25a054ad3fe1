import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/**
 * Makes X.509 certificates (RFC 5280) for the stack's servers and for tests. No tool of the machine is needed, and tests can use names that no tool
 * would write.
 */
export interface Certificate {
  name: string;
  /** PEM. */
  cert: string;
  key: string;
  keys: { publicKey: KeyObject; privateKey: KeyObject };
}

export interface CertificateOptions {
  /** The authority that signs the certificate; absent: it signs itself and is an authority. */
  by?: Certificate;
  /** URIs among the alternative names of its subject. */
  uris?: string[];
  /** Whether it is for servers, on 127.0.0.1, or for clients. */
  for?: 'server' | 'client';
  /** Days from now until it expires. */
  days?: number;
  /** The keys of the certificate that it renews; new keys if absent. */
  keys?: Certificate['keys'];
}

const oid = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  alternativeName: '551d11',
  extendedKeyUsage: '551d25',
  server: '2b06010505070301',
  client: '2b06010505070302',
};

export function certificate(name: string, options: CertificateOptions = {}): Certificate {
  const { by, days = 1, keys = generateKeyPairSync('ec', { namedCurve: 'P-256' }) } = options;
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [1, ...crypto.getRandomValues(Buffer.alloc(8))]),
    algorithm,
    nameOf(by?.name ?? name),
    sequence(time(-2), time(days)),
    nameOf(name),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...(by === undefined ? authorityExtensions : leafExtensions(options)))),
  );
  const signature = sign('sha256', body, by?.keys.privateKey ?? keys.privateKey);
  const text = sequence(body, algorithm, der(0x03, [0], signature))
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n');
  return {
    name,
    cert: `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`,
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    keys,
  };
}

function leafExtensions({ uris = [], for: use = 'client' }: CertificateOptions): Buffer[] {
  const names = uris.map((uri) => der(0x86, Buffer.from(uri, 'latin1')));
  if (use === 'server') names.push(der(0x87, [127, 0, 0, 1]), der(0x82, Buffer.from('localhost', 'latin1')));
  const purpose = extension(oid.extendedKeyUsage, sequence(objectId(oid[use])));
  return names.length === 0 ? [purpose] : [purpose, extension(oid.alternativeName, sequence(...names))];
}

function der(tag: number, ...parts: (Uint8Array | number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Uint8Array[]): Buffer {
  return der(0x30, ...parts);
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), der(0x04, value));
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId(oid.commonName), der(0x0c, Buffer.from(commonName)))));
}

/** GeneralizedTime, this number of days from now. */
function time(days: number): Buffer {
  const text = new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(text));
}

const algorithm = sequence(objectId(oid.ecdsaWithSha256));
const authorityExtensions = [
  extension(oid.basicConstraints, sequence(der(0x01, [0xff]))),
  extension(oid.keyUsage, der(0x03, [1, 6])),
];
