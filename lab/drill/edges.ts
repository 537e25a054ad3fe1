import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../contracts/config/config.ts';
import type { EdgeStatus } from '../../edge/index.ts';
import { issueToken } from '../../gateway/identity/index.ts';
import { portOf } from '../../stack/index.ts';
import { RoleProcess } from '../../stack/system/index.ts';

const resolver = fileURLToPath(new URL('resolver.ts', import.meta.url));

export interface EdgesOptions {
  stores: readonly string[];
  config: Config;
  directory: string;
  ports: Readonly<Record<string, number>>;
  publicUrl: string;
  dnsServer: string;
  say(line: string): void;
}

/** An agent in each of the stores. */
export class Edges {
  readonly #roles: readonly RoleProcess[];
  readonly #options: EdgesOptions;

  private constructor(options: EdgesOptions, roles: readonly RoleProcess[]) {
    this.#options = options;
    this.#roles = roles;
  }

  static async start(options: EdgesOptions): Promise<Edges> {
    const { stores, config, directory, ports, publicUrl, dnsServer, say } = options;
    const roles = await Promise.all(
      stores.map(async (store, n) => {
        const own = path.join(directory, `edge-${n}`);
        await mkdir(own);
        const tokenFile = path.join(directory, `edge-${n}.token`);
        await writeFile(tokenFile, await issueToken({ config, store }));
        const adminPort = portOf({ ...ports }, `edge-admin-${n}`);
        const env = {
          ...process.env,
          NODE_OPTIONS: `--import ${resolver}`,
          DRILL_DNS_SERVER: dnsServer,
          ORDERMESH_DATA_DIR: directory,
          ORDERMESH_HOST: '127.0.0.1',
          ORDERMESH_GATEWAY_PORT: String(portOf({ ...ports }, `edge-${n}`)),
          ORDERMESH_ADMIN_PORT: String(adminPort),
          ORDERMESH_EDGE_UPSTREAM: publicUrl,
          ORDERMESH_EDGE_TOKEN_FILE: tokenFile,
          ORDERMESH_EDGE_SPOOL: path.join(own, 'spool.db'),
        };
        return new RoleProcess({
          role: 'edge',
          name: `edge-${n}`,
          args: ['edge'],
          env,
          host: '127.0.0.1',
          adminPort,
          background: false,
          logDirectory: path.join(directory, 'logs'),
          onNote: say,
        });
      }),
    );
    return new Edges(options, roles);
  }

  async ready(): Promise<void> {
    await Promise.all(this.#roles.map((role) => role.ready()));
  }

  /** Where the points of sale of a store send to; `undefined` for a store without an agent. */
  urlOf(store: string): URL | undefined {
    const n = this.#options.stores.indexOf(store);
    return n < 0 ? undefined : new URL(`http://127.0.0.1:${portOf({ ...this.#options.ports }, `edge-${n}`)}`);
  }

  /** Whether every agent has found that region, and the region has all that the agent took, also of what another one had confirmed. */
  async areSettledIn(region: string): Promise<boolean> {
    const statuses = await Promise.all(
      this.#options.stores.map(async (_, n) => {
        const port = portOf({ ...this.#options.ports }, `edge-admin-${n}`);
        return (await (await fetch(`http://127.0.0.1:${port}/status.json`)).json()) as EdgeStatus;
      }),
    );
    return statuses.every(
      ({ spool, line }) =>
        line?.state === 'up' && spool.region === region && spool.unsent === 0 && spool.replaying === 0,
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#roles.map((role) => role.stop()));
  }
}
