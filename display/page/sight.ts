// The words for the state of a page's connection and data. Used by shell.ts.

import type { Staleness } from '../messages.ts';
import { formatElapsed } from './age.ts';

/** After this time a page says more than "Connecting". */
const CONNECTING_MS_MAX = 10_000;

/** The state of a page's connection and data. Times in milliseconds since 1970, by the screen's clock. */
export interface Sight {
  line: 'connecting' | 'live' | 'lost';
  /** Whether the tickets have come since the connection was made. */
  hasTickets: boolean;
  /** When `line` last changed. */
  since: number;
  heardAt: number;
  database: 'up' | 'down';
  /** On a store's own display: the region. */
  region: 'up' | 'down';
  stale?: Staleness | undefined;
}

export interface SightWords {
  /** Selects the style. */
  line: 'connecting' | 'live' | 'stale' | 'lost';
  /** The text beside the dot: "Live" only while every change arrives. */
  word: string;
  /** The text of the banner; empty while all is well. */
  banner: string;
  /** The tickets shown may be out of date. */
  isStale: boolean;
}

/** Describes a trouble so that the crew knows what they can still rely on. The tickets stay readable. */
export function wordsFor(sight: Sight, now: number): SightWords {
  const { line, database, region, stale } = sight;
  if (line === 'lost') {
    const age = formatElapsed(now - sight.heardAt);
    const banner = `Connection lost ${age} ago. Reconnecting. These tickets may be out of date.`;
    return { line, word: 'Offline', banner, isStale: true };
  }
  if (line === 'live' && database === 'down') {
    const banner = 'The ticket store is not answering. New orders are safe and will appear when it is back.';
    return { line: 'stale', word: 'Not up to date', banner, isStale: true };
  }
  if (line === 'connecting') return connecting(sight, now, 'No connection to the display service');
  if (stale !== undefined) {
    const since = timeOfDay(stale.since);
    const banner =
      stale.why === 'tickets'
        ? `Not up to date since ${since}, trying again. New orders are safe and will appear when this is mended.`
        : `Some orders have not got through to the kitchen since ${since}. They are safe and will appear.`;
    return { line: 'stale', word: 'Not up to date', banner, isStale: stale.why === 'tickets' };
  }
  if (!sight.hasTickets) return connecting(sight, now, 'The display service has not sent the tickets');
  if (region === 'down') return { line: 'stale', word: 'Line down', banner: lineDown, isStale: false };
  return { line: 'live', word: 'Live', banner: '', isStale: false };
}

/** A short wait is normal. After a longer wait the text must say that waiting does not help. */
function connecting({ since }: Sight, now: number, problem: string): SightWords {
  const waitedMs = now - since;
  const banner =
    waitedMs < CONNECTING_MS_MAX
      ? ''
      : `${problem} for ${formatElapsed(waitedMs)}, trying again. New orders are safe, but this screen shows none.`;
  return { line: 'connecting', word: 'Connecting', banner, isStale: false };
}

const lineDown =
  'The line to the region is down. Cook on: bumps are kept here, and tickets marked "not yet confirmed" are known only to this restaurant.';

function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
}
