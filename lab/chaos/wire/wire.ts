// Proxies before the brokers that can lose single answers. Started by the chaos run's system.ts.

import { readFileSync } from 'node:fs';
import { createServer, connect as openSocket, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as openTlsSocket } from 'node:tls';
import { joinSockets } from './connection.ts';
import type { RequestHead } from './frames.ts';
import { Loss, type LossOptions } from './losses.ts';

/** Where one broker's proxy listens, and where its broker does. */
export interface WireLink {
  port: number;
  brokerPort: number;
}

/** PEM files of a secured broker: its key and chain, with which the proxy stands for it, and the authority that both believe. */
export interface WireSecurity {
  keystoreFile: string;
  caFile: string;
}

/** The proxies between the clients of a zone and every broker, which know Kafka's messages: one answer can be lost and all others pass. */
export class Wire {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #losses = new Set<Loss>();

  readonly #tls: { key: Buffer; cert: Buffer; ca: Buffer } | undefined;

  private constructor(security: WireSecurity | undefined) {
    if (security === undefined) return;
    const own = readFileSync(security.keystoreFile);
    this.#tls = { key: own, cert: own, ca: readFileSync(security.caFile) };
  }

  /** With `security` messages are read between two encrypted connections. */
  static async start(links: readonly WireLink[], security?: WireSecurity): Promise<Wire> {
    const wire = new Wire(security);
    await Promise.all(links.map((link) => wire.#listen(link)));
    return wire;
  }

  /** The answer to the next request of that kind will be lost, whichever broker it goes to. */
  lose(options: LossOptions): Loss {
    const loss = new Loss(options);
    this.#losses.add(loss);
    return loss;
  }

  /** Requests that were not sent until now keep their answers. */
  disarm(loss: Loss): void {
    this.#losses.delete(loss);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #listen({ port, brokerPort }: WireLink): Promise<void> {
    const tls = this.#tls;
    const join = (client: Socket) => {
      const address = { port: brokerPort, host: '127.0.0.1' };
      const broker = tls === undefined ? openSocket(address) : openTlsSocket({ ...address, ca: tls.ca });
      this.#keep(client);
      this.#keep(broker);
      joinSockets({ client, broker, lossOf: (head) => this.#lossOf(head) });
    };
    const server = tls === undefined ? createServer(join) : createTlsServer(tls, join);
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #lossOf(head: RequestHead): Loss | undefined {
    for (const loss of this.#losses) {
      if (!loss.claims(head)) continue;
      this.#losses.delete(loss);
      return loss;
    }
    return undefined;
  }
}
