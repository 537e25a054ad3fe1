// Starts Toxiproxy and controls its proxies, by which network faults are made. Called by the chaos run's system.ts.

import { answersHttp, type Servers } from '../../../stack/index.ts';

/** What a toxic does to a proxy's connections, by Toxiproxy's names; times in milliseconds. */
export type Toxic =
  /** Each piece of data comes this much later. */
  | { type: 'latency'; attributes: { latency: number; jitter: number } }
  /** With 0 nothing gets through, and no connection says so: a black hole. They break when the toxic is removed. */
  | { type: 'timeout'; attributes: { timeout: 0 } };

export interface Toxiproxy {
  /** Listens on `port` and passes connections on to `upstream`. */
  create(proxy: { name: string; port: number; upstreamPort: number }): Promise<void>;
  /** Off: connections break, and new ones are refused. */
  switch(name: string, enabled: boolean): Promise<void>;
  /** In both directions. */
  poison(name: string, toxic: Toxic): Promise<void>;
  /** Takes every toxic off every proxy and switches all of them on. */
  reset(): Promise<void>;
}

/** Starts the server. Its log is among those of the stack. */
export async function startToxiproxy(options: {
  binary: string;
  port: number;
  seed: number;
  servers: Servers;
}): Promise<Toxiproxy> {
  const { binary, port, seed, servers } = options;
  const api = `http://127.0.0.1:${port}`;
  await servers.start(
    {
      name: 'toxiproxy',
      command: binary,
      args: ['-host', '127.0.0.1', '-port', String(port), '-seed', String(seed)],
      signal: 'SIGTERM',
      spawnOptions: { env: { ...process.env, LOG_LEVEL: 'warn' } },
    },
    () => answersHttp(`${api}/version`),
  );
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${api}${path}`, { method: 'POST', body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`Toxiproxy answers ${response.status} to POST ${path}: ${text}`);
  };
  return {
    create: ({ name, port: from, upstreamPort }) =>
      post('/proxies', { name, listen: `127.0.0.1:${from}`, upstream: `127.0.0.1:${upstreamPort}`, enabled: true }),
    switch: (name, enabled) => post(`/proxies/${name}`, { enabled }),
    async poison(name, toxic) {
      for (const stream of ['upstream', 'downstream']) await post(`/proxies/${name}/toxics`, { ...toxic, stream });
    },
    reset: () => post('/reset', {}),
  };
}
