import { connect } from 'node:net';

/**
 * Sends a few bytes and waits for the first byte of an answer. This is cheap enough for every few seconds, and needs no client library, which would
 * retry by itself.
 * @throws unless an answer comes
 */
export function answersTcp(port: number, question: Uint8Array, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const give = (up: () => void) => {
      socket.destroy();
      up();
    };
    signal?.addEventListener('abort', () => give(() => reject(signal.reason as Error)));
    socket.on('error', (error) => give(() => reject(error)));
    socket.on('close', () => reject(new Error('it closes the connection without an answer')));
    socket.once('data', () => give(resolve));
    socket.once('connect', () => socket.write(question));
  });
}
