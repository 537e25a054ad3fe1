import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Window } from '../../bridge/pubsub/window.ts';

test('never lets more in than the bound, in order, and no message waits for ever', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 50 }),
      fc.integer({ min: 1, max: 5 }),
      async (sizes, messagesMax) => {
        const window = new Window(messagesMax, 100);
        const entered: number[] = [];
        const inside: number[] = [];
        const all = sizes.map((bytes, index) =>
          window.enter(bytes).then(() => {
            entered.push(index);
            inside.push(bytes);
          }),
        );
        await Promise.resolve();
        for (let left = 0; left < sizes.length; left++) {
          const { messages, bytes } = window.outstanding;
          expect(messages).toBeLessThanOrEqual(messagesMax);
          expect(bytes <= 100 || messages === 1).toBe(true);
          await Promise.resolve();
          window.leave(inside.shift() ?? 0);
        }
        await Promise.all(all);
        expect(entered).toEqual(sizes.map((_, index) => index));
        expect(window.outstanding).toEqual({ messages: 0, bytes: 0 });
      },
    ),
  );
});
