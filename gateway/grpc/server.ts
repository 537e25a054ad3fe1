// The gRPC server of the gateway. Given by gateway.ts to the intake server, as a further transport.

import { Server, type ServerOptions, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import type { Config } from '../../contracts/config/config.ts';
import { problem } from '../../contracts/errors.ts';
import { limits } from '../../contracts/limits.ts';
import { tlsFiles } from '../../telemetry/files/tls.ts';
import type { FrontDesk, OpenTransport, Transport } from '../front-desk.ts';
import type { OrdersContext } from './call.ts';
import { protoFolder, SERVICE } from './definition.ts';
import { withSoundDescriptors } from './descriptors.ts';
import { getHandler } from './get.ts';
import { type ListenOptions, listen } from './listener.ts';
import { ordersDefinition } from './messages.ts';
import { OpenCalls } from './open-calls.ts';
import { submitHandler } from './submit.ts';
import { SubmitStream } from './submit-stream.ts';

/** The largest order with room for the message around it. */
const MESSAGE_BYTES_MAX = limits.orderBytesMax + 1_024;

/** Calls of one connection that are open at once. */
const CALLS_PER_CONNECTION_MAX = 1_024;

/** A silent connection is pinged after a minute (most routers forget a connection a little later) and closed when no answer comes. */
const KEEPALIVE_TIME_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

/** How often the health service checks the readiness. */
const HEALTH_INTERVAL_MS = 500;

const options: ServerOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_concurrent_streams': CALLS_PER_CONNECTION_MAX,
  'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.enable_channelz': 0,
};

/** The gRPC transport, as configured. */
export function openGrpc(config: Config): OpenTransport {
  const address = {
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_GRPC_PORT,
    tls: tlsFiles(config),
  };
  return (desk) => startGrpcServer(desk, { ...address, region: config.REGION });
}

/**
 * Orders over gRPC, with the standard health and reflection services.
 * @throws Error naming the port when it is taken.
 */
async function startGrpcServer(
  desk: FrontDesk,
  { region, ...address }: ListenOptions & { region: string },
): Promise<Transport> {
  const context: OrdersContext = { desk, region };
  const streams = new Set<SubmitStream>();
  const others = new OpenCalls();
  const server = new Server({ ...options, interceptors: [others.interceptor] });
  const handlers = {
    Submit: submitHandler(context),
    SubmitStream(call: ConstructorParameters<typeof SubmitStream>[1]) {
      const stream = new SubmitStream(context, call, () => {
        streams.delete(stream);
        desk.metrics.grpcStreams = streams.size;
      });
      streams.add(stream);
      desk.metrics.grpcStreams = streams.size;
    },
    Get: getHandler(context),
  };
  server.addService(ordersDefinition, handlers as unknown as UntypedServiceImplementation);
  const health = addHealth(server, desk);
  addReflection(server);
  const listening = await listen(server, address);

  function drain(): Promise<void> {
    health.stop();
    const stopped = new Promise<void>((resolve) => {
      // Every connection gets a GOAWAY; the client closes it when its last call has ended.
      server.tryShutdown(() => resolve());
    });
    listening.stop();
    for (const stream of streams) stream.end(problem('draining', 'this instance is shutting down'));
    others.end();
    return stopped;
  }

  return {
    addresses: { grpc: listening.address },
    endCredentials(authenticator) {
      let ended = 0;
      for (const stream of streams) {
        const why = stream.identity && authenticator.ended?.(stream.identity);
        if (why !== undefined && stream.endCredentials(why)) ended++;
      }
      return ended;
    },
    renewTls: (files) => listening.renew(files),
    drain,
    async close() {
      health.stop();
      listening.stop();
      server.forceShutdown();
    },
  };
}

function addHealth(server: Server, desk: FrontDesk): { stop(): void } {
  const names = ['', SERVICE];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'NOT_SERVING' as const])));
  let serving = false;
  const tell = (now: boolean) => {
    if (now === serving) return;
    serving = now;
    for (const name of names) health.setStatus(name, now ? 'SERVING' : 'NOT_SERVING');
  };
  const look = () => tell(desk.readiness() === undefined);
  look();
  const timer = setInterval(look, HEALTH_INTERVAL_MS).unref();
  health.addToServer(server);
  return {
    stop() {
      clearInterval(timer);
      tell(false);
    },
  };
}

/** Reflection shows fields as the protos name them, so it has definitions of its own. */
function addReflection(server: Server): void {
  const load = (files: string[], folder: string) => loadSync(files, { includeDirs: [folder], keepCase: true });
  const definitions = {
    ...load(['ordermesh.proto', 'google/rpc/error_details.proto'], protoFolder),
    ...load([healthProto], ''),
  };
  new ReflectionService(withSoundDescriptors(definitions)).addToServer(server);
}
