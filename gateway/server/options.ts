import type { Registry } from 'prom-client';
import type { Clock } from '../../contracts/clock.ts';
import type { Config } from '../../contracts/config/config.ts';
import type { RoleName } from '../../contracts/roles.ts';
import type { Activity } from '../../region/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { OpenTransport } from '../front-desk.ts';
import type { MenuSource } from '../menus/menu-source.ts';
import type { Intake } from '../orders/intake.ts';
import type { StatusLookup } from '../status/status-reader.ts';
import type { UndecidedLookup } from '../status/undecided-orders.ts';
import type { ShowVitals } from '../vitals.ts';
import type { Stream } from '../websocket/stream.ts';

/** What `startIntakeServer` is given: by `startGateway` in a region, by the edge agent in a restaurant. */
export interface IntakeServerOptions {
  config: Config;
  logger: Logger;
  /** The role it serves: the gateway of a region or the edge agent of a restaurant. */
  role: Extract<RoleName, 'gateway' | 'edge'>;
  intake: Intake;
  /** Reads statuses; absent where there is no store, as in a restaurant. */
  lookup?: StatusLookup | undefined;
  /** Why statuses cannot be read, for `/readyz`, which stays 200. */
  lookupTrouble?: (() => string | undefined) | undefined;
  /** Finds orders that were accepted and are not in that store yet; absent where there is no log. */
  undecided?: UndecidedLookup | undefined;
  /** Has the menus of stores; absent where none are kept. */
  menus?: MenuSource | undefined;
  /** The open WebSocket connections, which the server adds and removes; the status feed pushes to them. */
  streams?: Set<Stream>;
  /** Called when a WebSocket connection has opened. */
  onStream?: (() => void) | undefined;
  /** Calls `forget` when the log may have lost accepted orders. Resolves with a function that ends the watch. Absent where the log cannot be lost without its process. */
  /** Adds metrics of the intake's own. */
  registerMetrics?: ((registry: Registry) => void) | undefined;
  watchLog?: ((forget: () => void) => Promise<() => Promise<void>>) | undefined;
  /** Whether this region takes orders; absent where no second region shares the mesh. */
  activity?: Activity | undefined;
  /** Opens another transport beside HTTP and WebSocket; it is drained and closed with this server. */
  openTransport?: OpenTransport | undefined;
  /** Whether other processes may listen on the same port; the kernel spreads the connections over them. */
  sharesPort?: boolean;
  /** On the admin port of the role by default. */
  showVitals?: ShowVitals;
  clock?: Clock;
}
