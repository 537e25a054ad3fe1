import { expect, test } from 'vitest';
import { startPageServer } from '../../display/page-server.ts';

test('a second page server on a taken port fails and names the variable', async () => {
  const options = { host: '127.0.0.1', files: new Map(), onOpen() {}, onMessage() {}, onClose() {}, onRefused() {} };
  const first = await startPageServer({ ...options, port: 0 });
  try {
    await expect(startPageServer({ ...options, port: first.port })).rejects.toThrow(
      `cannot listen on port ${first.port} of 127.0.0.1: stop what holds the port, or set ORDERMESH_DISPLAY_PORT`,
    );
  } finally {
    first.close();
  }
});
