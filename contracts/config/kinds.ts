/**
 * The kinds of configuration values. Each one turns the text of an environment variable into a value, or throws a `TypeError` that says
 * what the variable takes.
 */
export interface Kind<T> {
  /** What the variable takes, for error messages and the documentation. */
  takes: string;
  parse(text: string): T;
}

function kind<T>(takes: string, parse: (text: string) => T | undefined): Kind<T> {
  return {
    takes,
    parse(text) {
      const value = parse(text);
      if (value === undefined) throw new TypeError(takes);
      return value;
    },
  };
}

export const text = (takes: string): Kind<string> => kind(takes, (value) => (value === '' ? undefined : value));

const ADMIN_TOKEN_LENGTH_MIN = 16;

/** A bearer token as RFC 6750 spells one, too long to be guessed. */
export const adminToken = (): Kind<string> =>
  kind(
    `a token of at least ${ADMIN_TOKEN_LENGTH_MIN} letters, digits or -._~+/=, such as \`openssl rand -hex 32\` makes`,
    (value) => (/^[\w.~+/=-]+$/.test(value) && value.length >= ADMIN_TOKEN_LENGTH_MIN ? value : undefined),
  );

/** Addresses of servers with ports; an IPv6 address is in brackets. */
export const hostPorts = (takes: string): Kind<string[]> =>
  kind(`${takes}, separated by commas`, (value) => {
    const entries = value.split(',').map((entry) => entry.trim());
    return entries.every(isHostPort) ? entries : undefined;
  });

/** Whether `text` is host:port; an IPv6 host is in brackets. */
export function isHostPort(text: string): boolean {
  const [match, port] = /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(text) ?? [];
  return match !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

/** Web origins as browsers send them: scheme, host, and a port that is not the scheme's default, without a path. */
export const origins = (): Kind<string[]> =>
  kind('origins such as https://till.example.com, or *, separated by commas', (value) => {
    const entries = value.split(',').map((entry) => entry.trim());
    return entries.every((entry) => entry === '*' || isOrigin(entry)) ? entries : undefined;
  });

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Some of the given values, each at most once. */
export const someOf = <const T extends string>(...values: T[]): Kind<T[]> =>
  kind(`one or more of ${values.join(', ')}, separated by commas`, (value) => {
    const entries = value.split(',').map((entry) => values.find((candidate) => candidate === entry.trim()));
    return new Set(entries).size < entries.length || entries.includes(undefined) ? undefined : (entries as T[]);
  });

export const integer = (min: number, max: number): Kind<number> =>
  kind(`a whole number from ${min} to ${max}`, (value) =>
    inRange(/^-?\d+$/.test(value) ? Number(value) : Number.NaN, min, max),
  );

export const fraction = (): Kind<number> =>
  kind('a number from 0 to 1', (value) => inRange(/^\d*\.?\d+$/.test(value) ? Number(value) : Number.NaN, 0, 1));

export const port = (): Kind<number> => integer(0, 65_535);

export const oneOf = <const T extends string>(...values: T[]): Kind<T> =>
  kind(`one of ${values.join(', ')}`, (value) => values.find((candidate) => candidate === value));

export const flag = (): Kind<boolean> =>
  kind('on or off', (value) => ({ on: true, true: true, '1': true, off: false, false: false, '0': false })[value]);

const durationUnitsMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A timer of Node takes at most 2^31 - 1 ms, and takes larger values for 1 ms. This leaves room for additions to a setting. */
const TIMER_MAX = '24d';
/** For durations that no timer waits for. */
const LENGTH_MAX = '3650d';

/** A duration such as 250ms, 5s, 10m or 24h, short enough for a timer; the value is in milliseconds. */
export const duration = (): Kind<number> => durationUpTo(TIMER_MAX);

/**
 * A duration with a minimum, where 0 ms makes no sense: with a limit of 0 ms every call is late, and a loop that waits 0 ms never pauses.
 */
export const durationFrom = (min: string): Kind<number> => durationUpTo(TIMER_MAX, min);

/** A duration that no timer is set to: an age, a window, a retention. */
export const longDuration = (): Kind<number> => durationUpTo(LENGTH_MAX);

function durationUpTo(max: string, min = '0ms'): Kind<number> {
  const from = min === '0ms' ? '' : `from ${min} `;
  return kind(`a duration such as 250ms, 5s, 10m or 24h, ${from}up to ${max}`, (value) =>
    inRange(scaled(value, durationUnitsMs) ?? Number.NaN, durationMs(min), durationMs(max)),
  );
}

/** The same with a minimum and a maximum. */
export const durationBetween = (min: string, max: string): Kind<number> =>
  kind(`a duration from ${min} to ${max}`, (value) =>
    inRange(scaled(value, durationUnitsMs) ?? Number.NaN, durationMs(min), durationMs(max)),
  );

function durationMs(text: string): number {
  return scaled(text, durationUnitsMs) ?? Number.NaN;
}

const byteUnits: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** A size such as 64KiB, 32MiB or 1GiB; the value is in bytes. */
export const bytes = (min = '0B'): Kind<number> =>
  kind(`a size such as 64KiB, 32MiB or 1GiB${min === '0B' ? '' : `, from ${min}`}`, (value) =>
    inRange(scaled(value, byteUnits) ?? Number.NaN, scaled(min, byteUnits) ?? Number.NaN, Number.MAX_SAFE_INTEGER),
  );

export const url = (...schemes: string[]): Kind<string> =>
  kind(`a URL starting with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`, (value) =>
    URL.canParse(value) && schemes.some((scheme) => value.startsWith(`${scheme}://`)) ? value : undefined,
  );

/** libpq's `sslmode`: what TLS to a database must prove. */
export const tlsModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** URL of a PostgreSQL, with libpq's `sslmode` in it or without. */
export const databaseUrl = (): Kind<string> =>
  kind(
    `a URL starting with postgres:// or postgresql://, with an sslmode of ${tlsModes.join(', ')} or without`,
    (value) => {
      // Several hosts, separated by commas, are no URL by the rules of `URL`.
      const single = value.trim().replace(/^(postgres(?:ql)?:\/\/(?:[^@/]*@)?[^,/?#]*)(?:,[^/?#]*)?/, '$1');
      if (!/^postgres(ql)?:\/\//.test(value.trim()) || !URL.canParse(single)) return undefined;
      const mode = new URL(single).searchParams.get('sslmode');
      return mode === null || tlsModes.some((known) => known === mode) ? value : undefined;
    },
  );

function inRange(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}

function scaled(value: string, units: Record<string, number>): number | undefined {
  const match = /^(\d+)([a-zA-Z]+)$/.exec(value);
  const unit = units[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}
