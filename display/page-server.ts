// Serves the page, and the WebSockets of the screens. Started by server.ts and by the kitchen of the edge agent.

import type { HttpRequest, HttpResponse, TemplatedApp, WebSocket } from 'uWebSockets.js';
import type { TlsFiles } from '../telemetry/files/tls.ts';
import { listenRenewable, type RenewablePort } from '../telemetry/renewable-port.ts';
import { type ReadUnavailable, unavailableRoute } from './menu/unavailable.ts';
import { isKnownHost, isSameOrigin } from './origin.ts';
import type { PageFile } from './page-files.ts';
import { tokenOf } from './pairing/credentials.ts';
import type { Access, ScreenDoor } from './pairing/door.ts';
import { pairingRoutes } from './pairing/routes.ts';
import type { Screen } from './screens.ts';

/** Commands are small. A larger message does not come from our page, and the socket is closed. */
const MESSAGE_BYTES_MAX = 4_096;
/** Bytes that may wait for a slow screen: a few of the largest snapshots. */
const BACKPRESSURE_BYTES_MAX = 4 * 1024 * 1024;

export interface PageServerOptions {
  host: string;
  port: number;
  files: ReadonlyMap<string, PageFile>;
  /** Absent: the page is served by plain HTTP. */
  tls?: TlsFiles | undefined;
  /** Decides which screens get a socket; `undefined`: each that reaches the display. */
  door?: ScreenDoor | undefined;
  /** Reads what a store cannot sell; absent on a display without the region's database. */
  unavailable?: ReadUnavailable | undefined;
  onOpen(screen: Screen): void;
  onMessage(screen: Screen, text: string): void;
  onClose(screen: Screen): void;
  /** A page was refused its socket. A browser does not tell the page the reason, so the page can only show that it has no connection. */
  onRefused(reason: string): void;
}

/** `close` stops listening and closes every socket. */
export type PageServer = Pick<RenewablePort, 'port' | 'renew' | 'close'>;

/**
 * The page, its files and the WebSocket `/live`. Everything is served from memory.
 * @throws when the port is taken, naming the variable that sets it.
 */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const { host, port, tls } = options;
  /** The port that was asked for may be 0. */
  let listeningPort = port;
  const listening = await listenRenewable((app) => addRoutes(app, options, () => listeningPort), tls, {
    host,
    port,
    variable: 'ORDERMESH_DISPLAY_PORT',
  });
  listeningPort = listening.port;
  return listening;
}

/** @param port on which the server listens */
function addRoutes(app: TemplatedApp, options: PageServerOptions, port: () => number): void {
  const { host, files } = options;
  pairingRoutes(app, {
    door: options.door,
    port,
    isTls: options.tls !== undefined,
    refuse(response, request) {
      const refusal = refusalOf(request, host);
      if (refusal !== undefined) refuse(response, refusal);
      return refusal !== undefined;
    },
  });
  const { door, unavailable } = options;
  if (unavailable !== undefined)
    unavailableRoute(app, {
      read: unavailable,
      async refusalOf(request, storeId) {
        const refusal = refusalOf(request, host);
        if (refusal !== undefined || door === undefined) return refusal;
        return lockOf(await door.accessOf(tokenOf(request, port())), storeId);
      },
    });
  const page = (response: HttpResponse, request: HttpRequest) =>
    answer(response, request, host, files.get('index.html'));
  app
    .get('/', page)
    .get('/stores/:store', page)
    .get('/page/:file', (response, request) =>
      answer(response, request, host, files.get(request.getParameter(0) ?? '')),
    )
    .ws<Screen>('/live', {
      maxPayloadLength: MESSAGE_BYTES_MAX,
      maxBackpressure: BACKPRESSURE_BYTES_MAX,
      idleTimeout: 32,
      sendPingsAutomatically: true,
      upgrade(response, request, context) {
        const refusal = refusalOf(request, host);
        if (refusal !== undefined) {
          refuse(response, refusal);
          options.onRefused(refusal.text);
          return;
        }
        // Not validated here: only on an open socket can the page be told that there is no such store.
        const storeId = request.getQuery('store') || undefined;
        const [key, protocol, extensions] = ['key', 'protocol', 'extensions'].map((name) =>
          request.getHeader(`sec-websocket-${name}`),
        ) as [string, string, string];
        const open = (screenId?: string) =>
          response.upgrade<Omit<Screen, 'socket'>>(
            {
              storeId,
              screenId,
              waiting: [],
              snapshotAgain: false,
              isReading: false,
              unanswered: 0,
              closed: false,
            },
            key,
            protocol,
            extensions,
            context,
          );
        if (door === undefined) return open();
        let isGone = false;
        response.onAborted(() => {
          isGone = true;
        });
        void door.accessOf(tokenOf(request, port())).then((access) => {
          if (isGone) return;
          const locked = lockOf(access, storeId);
          response.cork(() => {
            if (access.access === 'paired' && locked === undefined) return void open(access.screenId);
            // Not logged: a page without a token asks for a code, and strangers could fill the log.
            if (locked !== undefined) refuse(response, locked);
          });
        });
      },
      open: (socket) => options.onOpen(screenOf(socket)),
      message: (socket, message) => options.onMessage(screenOf(socket), Buffer.from(message).toString()),
      close: (socket) => {
        const screen = socket.getUserData();
        screen.closed = true;
        options.onClose(screen);
      },
    })
    .any('/*', (response, request) =>
      request.getMethod() === 'get' || request.getMethod() === 'head'
        ? refuse(response, { status: '404 Not Found', text: 'There is no such page. The display is at /.' })
        : refuse(response, {
            status: '405 Method Not Allowed',
            text: 'The display takes commands over its WebSocket only.',
          }),
    );
}

/** uWebSockets.js copies the user data on upgrade; the socket is put beside it when the connection is open. */
function screenOf(socket: WebSocket<Screen>): Screen {
  return Object.assign(socket.getUserData(), { socket });
}

interface Refusal {
  status: string;
  text: string;
}

function refusalOf(request: HttpRequest, listensOn: string): Refusal | undefined {
  const host = request.getHeader('host');
  if (!isKnownHost(host, listensOn))
    return { status: '421 Misdirected Request', text: `This display is not ${host}; open it as localhost.` };
  if (!isSameOrigin(request.getHeader('origin'), host))
    return { status: '403 Forbidden', text: 'Only the display page itself may connect here.' };
  return undefined;
}

/** Why a screen gets no socket; `undefined` if it gets one. */
function lockOf(access: Access, storeId: string | undefined): Refusal | undefined {
  if (access.access === 'unknown') return { status: '503 Service Unavailable', text: access.reason };
  if (access.access !== 'paired')
    return {
      status: '401 Unauthorized',
      text: 'This screen is not paired: open the page, and have its code admitted.',
    };
  if (access.storeId !== undefined && access.storeId !== storeId)
    return { status: '403 Forbidden', text: `This screen belongs to store ${access.storeId} and shows no other.` };
  return undefined;
}

const securityHeaders: Record<string, string> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

function answer(response: HttpResponse, request: HttpRequest, listensOn: string, file: PageFile | undefined): void {
  if (!isKnownHost(request.getHeader('host'), listensOn)) refuse(response, unknownHost(request));
  else if (file === undefined) refuse(response, { status: '404 Not Found', text: 'There is no such file.' });
  else send(response, file, request.getHeader('if-none-match') === file.etag);
}

function send(response: HttpResponse, file: PageFile, unchanged: boolean): void {
  response.writeStatus(unchanged ? '304 Not Modified' : '200 OK');
  for (const [name, value] of Object.entries(securityHeaders)) response.writeHeader(name, value);
  // Browsers must check for a new version at each load.
  response.writeHeader('Cache-Control', 'no-cache').writeHeader('ETag', file.etag);
  if (unchanged) response.endWithoutBody();
  else response.writeHeader('Content-Type', file.contentType).end(file.body);
}

function unknownHost(request: HttpRequest): Refusal {
  const host = request.getHeader('host');
  return { status: '421 Misdirected Request', text: `This display is not ${host}; open it as localhost.` };
}

function refuse(response: HttpResponse, { status, text }: Refusal): void {
  response.writeStatus(status).writeHeader('Content-Type', 'text/plain; charset=utf-8').end(`${text}\n`);
}
