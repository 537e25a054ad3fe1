import type { Server, ServerCommand, Servers } from '../../stack/index.ts';

/** A server that faults can kill, stop and start again. Each start has a log file of its own. */
export class ManagedServer {
  readonly #servers: Servers;
  readonly #command: ServerCommand;
  readonly #serves: () => Promise<void>;
  #server: Server;
  #starts = 1;
  #running = true;

  private constructor(servers: Servers, command: ServerCommand, serves: () => Promise<void>, server: Server) {
    this.#servers = servers;
    this.#command = command;
    this.#serves = serves;
    this.#server = server;
  }

  /** Resolves once it serves. */
  static async start(servers: Servers, command: ServerCommand, serves: () => Promise<void>): Promise<ManagedServer> {
    return new ManagedServer(servers, command, serves, await servers.start(command, serves));
  }

  get running(): boolean {
    return this.#running;
  }

  /** Ends it with that signal and waits until it has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#running = false;
    await this.#server.stop(signal);
  }

  /** Starts it again and waits until it serves. */
  async start(): Promise<void> {
    this.#starts++;
    const name = `${this.#command.name}-start-${this.#starts}`;
    this.#server = await this.#servers.start({ ...this.#command, name }, this.#serves);
    this.#running = true;
  }

  /** SIGSTOP: it keeps its connections and says nothing. */
  freeze(): void {
    process.kill(this.#server.record.pid, 'SIGSTOP');
  }

  thaw(): void {
    if (this.#running) process.kill(this.#server.record.pid, 'SIGCONT');
  }
}
