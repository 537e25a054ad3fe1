import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameCutter, requestHead } from '../../../lab/chaos/wire/frames.ts';
import { requestFrame } from './kafka-frames.ts';

test('finds the same messages wherever the stream is cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
  const cuts = fc.array(fc.nat(600));
  fc.assert(
    fc.property(messages, cuts, (bodies, at) => {
      const frames = bodies.map((body) => {
        const frame = Buffer.alloc(4 + body.length);
        frame.writeInt32BE(body.length, 0);
        frame.set(body, 4);
        return frame;
      });
      const stream = Buffer.concat(frames);
      const cutter = new FrameCutter();
      const found: Buffer[] = [];
      let from = 0;
      for (const to of [...at.filter((cut) => cut <= stream.length).sort((a, b) => a - b), stream.length]) {
        cutter.push(stream.subarray(from, to), (frame) => found.push(frame));
        from = to;
      }
      expect(found.map((frame) => frame.toString('hex'))).toEqual(frames.map((frame) => frame.toString('hex')));
    }),
  );
});

test('copies a message of many pieces once, not once a piece', () => {
  const frame = Buffer.alloc(4 + 2 ** 22);
  frame.writeInt32BE(2 ** 22, 0);
  const cutter = new FrameCutter();
  let found = 0;
  // With a copy for each piece these would be 8 GiB.
  for (let at = 0; at < frame.length; at += 1_024)
    cutter.push(frame.subarray(at, at + 1_024), ({ length }) => {
      found = length;
    });
  expect(found).toBe(frame.length);
});

test('refuses what is not of this protocol', () => {
  expect(() => new FrameCutter().push(Buffer.from([0xff, 0xff, 0xff, 0xff]), () => {})).toThrow('-1 bytes');
});

test('reads the head of a request', () => {
  const request = { apiKey: 14, correlationId: 77, clientId: 'kitchen' };
  expect(requestHead(requestFrame(request))).toEqual(request);
  expect(requestHead(requestFrame({ ...request, clientId: '' }))).toEqual({ ...request, clientId: '' });
});
