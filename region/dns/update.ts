// Changes the address of a name at a DNS server. Called by flip.ts.

import { randomInt } from 'node:crypto';
import { createConnection, isIP } from 'node:net';
import { canonicalAddress, splitHostPort } from './server-address.ts';
import { sign, type TsigKey, verify } from './tsig.ts';
import { encodeName, encodeRecord, uint16 } from './wire.ts';

export interface AddressUpdate {
  /** `host:port` of the zone's primary server. */
  server: string;
  zone: string;
  /** Name inside the zone whose addresses are replaced. */
  name: string;
  /** IPv4 or IPv6. */
  address: string;
  ttlSeconds: number;
  key: TsigKey;
}

const OPCODE_UPDATE = 5;
const TYPE_A = 1;
const TYPE_SOA = 6;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
const CLASS_ANY = 255;
const ANSWER_MS_MAX = 5_000;

/**
 * Replaces every address of a name by one (RFC 2136), signed with TSIG (RFC 8945), over TCP. All or nothing.
 * @throws Error with the server's reason, when it doesn't answer within 5 s, or when its answer is not signed with the key
 */
export async function updateAddress(update: AddressUpdate): Promise<void> {
  const message = updateMessage(update, randomInt(0x10000));
  const { signed, mac } = sign(message, update.key, Date.now());
  const answer = await exchange(update.server, signed);
  if (answer.readUInt16BE(0) !== message.readUInt16BE(0)) throw new Error('the DNS server answered another question');
  const code = answer.readUInt16BE(2) & 0xf;
  // The answer to a wrong key is unsigned, so the reason is reported before the signature is checked.
  if (code !== 0)
    throw new Error(`the DNS server ${update.server} refuses the update: ${responseCodes[code] ?? `code ${code}`}`);
  verify(answer, mac, update.key, Date.now());
}

const responseCodes: Readonly<Record<number, string>> = {
  1: 'it cannot read it (FORMERR)',
  2: 'it failed (SERVFAIL)',
  4: 'it takes no updates (NOTIMP)',
  5: 'the key may not change this zone (REFUSED)',
  9: 'it is not the primary of the zone, or does not know the key (NOTAUTH)',
  10: 'the name is outside of the zone (NOTZONE)',
};

/** The update before it is signed: delete both kinds of addresses, add the new one. */
export function updateMessage(
  { zone, name, address, ttlSeconds }: Omit<AddressUpdate, 'server' | 'key'>,
  id: number,
): Buffer {
  const family = isIP(address);
  if (family === 0) throw new Error(`${address} is no IP address`);
  const gone = { name, class: CLASS_ANY, ttlSeconds: 0, data: Buffer.alloc(0) };
  const changes = [
    encodeRecord({ ...gone, type: TYPE_A }),
    encodeRecord({ ...gone, type: TYPE_AAAA }),
    encodeRecord({
      name,
      type: family === 4 ? TYPE_A : TYPE_AAAA,
      class: CLASS_IN,
      ttlSeconds,
      data: addressBytes(address, family),
    }),
  ];
  const header = [id, OPCODE_UPDATE << 11, 1, 0, changes.length, 0].map(uint16);
  return Buffer.concat([...header, encodeName(zone), uint16(TYPE_SOA), uint16(CLASS_IN), ...changes]);
}

function addressBytes(address: string, family: number): Buffer {
  if (family === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = canonicalAddress(address).split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)));
  const [front, back] = [words(head), words(tail ?? '')];
  const zeros = new Array<number>(8 - front.length - back.length).fill(0);
  return Buffer.concat([...front, ...zeros, ...back].map(uint16));
}

/** One question and its answer; over TCP each stands behind its length. */
function exchange(server: string, message: Buffer): Promise<Buffer> {
  const { host, port } = splitHostPort(server);
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, timeout: ANSWER_MS_MAX });
    let received = Buffer.alloc(0);
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(`the DNS server ${server} ${reason}`));
    };
    socket.on('connect', () => socket.write(Buffer.concat([uint16(message.length), message])));
    socket.on('timeout', () => fail(`does not answer within ${ANSWER_MS_MAX / 1_000} s`));
    socket.on('error', (error) => fail(`cannot be reached: ${error.message}`));
    socket.on('close', () => fail('closed the connection without an answer'));
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      resolve(received.subarray(2, 2 + received.readUInt16BE(0)));
      socket.destroy();
    });
  });
}
