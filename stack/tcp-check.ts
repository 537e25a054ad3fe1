import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

/**
 * Sends a few bytes and waits for the first byte of an answer. This is cheap enough for every few seconds, and needs no client library, which would
 * retry by itself.
 * @param caFile the authority of a server that takes TLS
 * @throws unless an answer comes
 */
export function answersTcp(port: number, question: Uint8Array, signal?: AbortSignal, caFile?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const address = { port, host: '127.0.0.1' };
    const socket = caFile === undefined ? connect(address) : connectTls({ ...address, ca: readFileSync(caFile) });
    const give = (up: () => void) => {
      socket.destroy();
      up();
    };
    signal?.addEventListener('abort', () => give(() => reject(signal.reason as Error)));
    socket.on('error', (error) => give(() => reject(error)));
    socket.on('close', () => reject(new Error('it closes the connection without an answer')));
    socket.once('data', () => give(resolve));
    socket.once(caFile === undefined ? 'connect' : 'secureConnect', () => socket.write(question));
  });
}
