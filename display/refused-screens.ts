import type { Logger } from '../telemetry/logger.ts';

/** Reasons that are told; they have names in them which anyone can send. */
const REASONS_MAX = 20;

/** Tells of screens that were refused, each reason once: a page that is refused tries again for as long as it is open. */
export function refusedScreens(logger: Logger): (reason: string) => void {
  const told = new Set<string>();
  return (reason) => {
    if (told.has(reason) || told.size >= REASONS_MAX) return;
    told.add(reason);
    logger.warn({ reason }, 'a screen was refused; it says that it has no connection');
  };
}
