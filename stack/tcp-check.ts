import { connect } from 'node:net';

/**
 * Sends a few bytes and waits for the first of an answer: cheap enough to be asked every few seconds, and no client of a library that retries by
 * itself is left behind.
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
