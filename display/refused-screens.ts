// Logs refused screens. Used by server.ts and by the kitchen of the edge agent.

import type { Logger } from '../telemetry/logger.ts';

/** At most this many reasons are logged: a reason contains names from the request, so a client could send any number of them. */
const REASONS_MAX = 20;

/** Logs refused screens, each reason once: a refused page tries again for as long as it is open. */
export function refusedScreens(logger: Logger): (reason: string) => void {
  const logged = new Set<string>();
  return (reason) => {
    if (logged.has(reason) || logged.size >= REASONS_MAX) return;
    logged.add(reason);
    logger.warn({ reason }, 'a screen was refused; it says that it has no connection');
  };
}
