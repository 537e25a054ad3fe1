import { Packr, Unpackr } from 'msgpackr';
import { decodeJson } from '../orders/scanner/order-bytes.ts';
import { checkMessagePack } from './messagepack-check.ts';

/** Encodes and decodes the frames of one WebSocket subprotocol. */
export interface StreamCodec {
  isBinary: boolean;
  /** The bytes are valid during the call only. @throws an error whose message can be sent to the client */
  decode(bytes: Buffer): unknown;
  encode(message: object): string | Buffer;
}

// Plain maps, without msgpackr's record extension: any msgpack library of a client reads and writes these frames.
const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

/** The codec of each subprotocol, by its name. */
export const codecs: Readonly<Record<string, StreamCodec>> = {
  'ordermesh.v1.json': {
    isBinary: false,
    decode(bytes) {
      const decoded = decodeJson(bytes);
      if (!decoded.ok) throw new TypeError(decoded.detail.replace('the body', 'the frame'));
      return decoded.value;
    },
    encode: (message) => JSON.stringify(message),
  },
  'ordermesh.v1.msgpack': {
    isBinary: true,
    decode(bytes) {
      try {
        checkMessagePack(bytes);
        return unpackr.unpack(bytes);
      } catch (error) {
        throw new TypeError(`the frame is not valid msgpack: ${(error as Error).message}`);
      }
    },
    encode: (message) => packr.pack(message),
  },
};
