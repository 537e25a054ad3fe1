// Whether screens must be paired. Asked by display/server.ts and by the kitchen of the edge agent.

import { type Config, ConfigError } from '../../contracts/config/config.ts';
import { isLoopback } from '../../contracts/loopback.ts';

/** @throws ConfigError for a display that is open to strangers */
export function needsPairing({ ORDERMESH_DISPLAY_AUTH: auth, ORDERMESH_HOST: host }: Config): boolean {
  if (auth === 'off' && !isLoopback(host))
    throw new ConfigError(
      `ORDERMESH_DISPLAY_AUTH is off while ORDERMESH_HOST is ${JSON.stringify(host)}: set ORDERMESH_DISPLAY_AUTH=on, or ORDERMESH_HOST to a loopback address`,
    );
  return auth === 'on' || (auth === 'auto' && !isLoopback(host));
}
