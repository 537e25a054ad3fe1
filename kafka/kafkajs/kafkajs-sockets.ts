import { connect as connectPlain, isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import { clocked } from '../../telemetry/stages/clocked-socket.ts';
import { stage } from '../../telemetry/stages/stage.ts';

const KEEP_ALIVE_MS = 60_000;

/**
 * The sockets of one kafkajs client. kafkajs ends a client only after all its requests were answered, which may never happen. `end` does
 * not wait: it closes the sockets and refuses new ones, so the client can't come back as a member of a group.
 */
export class KafkajsSockets {
  readonly #open = new Set<Socket>();
  #ended = false;

  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (this.#ended) {
      const none = new Socket();
      process.nextTick(() => none.destroy(new Error('this client has ended')));
      return none;
    }
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
      : connectPlain({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    // Heartbeats and commits come this way too. They are few beside the fetches.
    return clocked(socket, stage.fetch);
  };

  end(): void {
    this.#ended = true;
    // With an error, because kafkajs does not listen to `close`. Requests without an answer are rejected by it.
    for (const socket of this.#open) socket.destroy(new Error('this client has ended'));
  }
}
