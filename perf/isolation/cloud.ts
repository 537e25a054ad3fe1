// The servers and roles of an isolation run, with a proxy before each service of the cloud. Started by main.ts.

import path from 'node:path';
import { googleCloudNames } from '../../bridge/pubsub/index.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { hostPort, reachableHost } from '../../contracts/local-url.ts';
import { chainMenuFile } from '../../lab/traffic/index.ts';
import { choosePorts, portOf, startStack } from '../../stack/index.ts';
import { type System, startSystem } from '../../stack/system/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type HttpProxy, startHttpProxy } from './http-proxy.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** What the cases act on. The roles, and Pub/Sub's pushes, know these addresses only. */
export interface Cloud {
  pubsub: TcpProxy;
  bigquery: HttpProxy;
  loyalty: HttpProxy;
}

export interface ProxiedSystem extends AsyncDisposable {
  cloud: Cloud;
  system: System;
}

/**
 * Starts the servers, then the proxies, then every role. Sets variables of this process, which the roles inherit.
 * @param directory data and logs; the servers' in `servers/`, the roles' in `roles/`
 * @throws when Google's Pub/Sub emulator is not installed
 */
export async function startProxiedSystem(
  directory: string,
  logger: Logger,
  say: (line: string) => void,
): Promise<ProxiedSystem> {
  await using started = new AsyncDisposableStack();
  process.env.ORDERMESH_DATA_DIR = path.join(directory, 'servers');
  const stack = await startStack(loadConfig(), logger, { onProgress: say });
  started.defer(() => stack.close());
  const { PUBSUB_EMULATOR_HOST: pubsubHost, BIGQUERY_EMULATOR_HOST: bigqueryHost } = stack.environment;
  if (!stack.googleCloud || pubsubHost === undefined || bigqueryHost === undefined)
    throw new Error('there is no Pub/Sub here, so nothing of the cloud can fail: see the line above');
  const ports = await choosePorts(['pubsub-proxy', 'bigquery-proxy', 'loyalty-proxy'], {});
  const { ORDERMESH_HOST: host, ORDERMESH_LOYALTY_PORT: loyaltyPort, GOOGLE_CLOUD_PROJECT: project } = loadConfig();
  const cloud: Cloud = {
    pubsub: started.adopt(await startTcpProxy(portOf(ports, 'pubsub-proxy'), pubsubHost), (proxy) => proxy.close()),
    bigquery: started.adopt(await startHttpProxy(portOf(ports, 'bigquery-proxy'), bigqueryHost), (proxy) =>
      proxy.close(),
    ),
    loyalty: started.adopt(
      await startHttpProxy(portOf(ports, 'loyalty-proxy'), hostPort(reachableHost(host), loyaltyPort)),
      (proxy) => proxy.close(),
    ),
  };
  Object.assign(process.env, stack.environment, {
    ORDERMESH_DATA_DIR: path.join(directory, 'roles'),
    PUBSUB_EMULATOR_HOST: cloud.pubsub.address,
    BIGQUERY_EMULATOR_HOST: cloud.bigquery.address,
    ORDERMESH_LOYALTY_PUSH_ENDPOINT: `http://${cloud.loyalty.address}/projects/${project}/topics/${googleCloudNames.topic}`,
    // With emulators the libraries need not ask Google's metadata server for an identity.
    METADATA_SERVER_DETECTION: 'none',
  });
  const system = await startSystem(loadConfig(), logger, say, { menuFile: chainMenuFile });
  started.defer(() => system.close());
  const owned = started.move();
  return { cloud, system, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
