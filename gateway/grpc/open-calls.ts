import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import { SERVICE } from './definition.ts';

/**
 * The open calls of the health and reflection services. Their streams last as long as the client wants, so the server must end them to
 * be able to stop.
 */
export class OpenCalls {
  readonly #open = new Set<ServerInterceptingCallInterface>();

  readonly interceptor: ServerInterceptor = (method, call) => {
    // Calls of our own methods are not intercepted.
    if (method.path.startsWith(`/${SERVICE}/`)) return call as ServerInterceptingCall;
    this.#open.add(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => pass(metadata),
          onReceiveMessage: (message, pass) => pass(message),
          onReceiveHalfClose: (pass) => pass(),
          onCancel: () => this.#open.delete(call),
        }),
    });
  };

  end(): void {
    for (const call of this.#open) call.sendStatus({ code: status.UNAVAILABLE, details: 'the server shuts down' });
    this.#open.clear();
  }
}
