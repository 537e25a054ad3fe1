import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The line between a restaurant and its region, as a TCP proxy whose far end can move, and which can fail. */
export class Line {
  /** The URL that the agent uses for the region. */
  readonly url: string;
  readonly #close: () => Promise<void>;
  readonly #pairs = new Set<[Socket, Socket]>();
  #target = 0;
  #isCut = false;
  #poison: Buffer | undefined;
  #delayMs = 0;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** @param host address to listen on */
  static async open(host = '127.0.0.1'): Promise<Line> {
    let accept = (_: Socket) => {};
    const server = createServer((client) => accept(client));
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as AddressInfo;
    const line = new Line(`http://${host}:${port}`, () => new Promise((done) => server.close(() => done())));
    accept = (client) => line.#accept(client);
    return line;
  }

  /** New connections go to this gateway, and existing connections end, as after a failover. */
  to(gateway: string): this {
    this.#target = Number(new URL(gateway).port);
    this.#endAll();
    return this;
  }

  cut(): void {
    this.#isCut = true;
    this.#endAll();
  }

  restore(): void {
    this.#isCut = false;
  }

  /** Connections that carry these bytes towards the region are dropped, as by a firewall that inspects the content. */
  dropWhatSays(text: string): void {
    this.#poison = Buffer.from(text);
  }

  /** Delay of everything that the region sends. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async close(): Promise<void> {
    const closed = this.#close();
    this.#endAll();
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#isCut || this.#target === 0) return void client.destroy();
    const upstream = connect(this.#target, '127.0.0.1');
    const pair: [Socket, Socket] = [client, upstream];
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        this.#pairs.delete(pair);
      });
    }
    client.on('data', (bytes) => {
      if (this.#poison !== undefined && bytes.includes(this.#poison)) client.destroy();
      else upstream.write(bytes);
    });
    upstream.on('data', (bytes) => setTimeout(() => client.write(bytes), this.#delayMs));
  }

  #endAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }
}
