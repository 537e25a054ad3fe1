import { InvalidArgumentError } from 'commander';

/** Parsers of option values; commander answers a refusal with the option's name and exit code 2. */

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(
        max === Number.MAX_SAFE_INTEGER
          ? `it takes a whole number from ${min}.`
          : `it takes a whole number from ${min} to ${max}.`,
      );
    return value;
  };
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('it takes a number above 0.');
  return value;
}

const unitsMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An RFC 3339 time, milliseconds since the epoch, or how long ago: 30s, 10m, 2h, 1d. @returns milliseconds since the epoch. */
export function pointInTime(text: string): number {
  const ago = /^(\d+)([smhd])$/.exec(text);
  if (ago !== null) return Date.now() - Number(ago[1]) * (unitsMs[ago[2] ?? ''] ?? 0);
  const value = /^\d{10,}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(value)) {
    throw new InvalidArgumentError(
      'it takes an RFC 3339 time such as 2026-11-22T10:00:00Z, or how long ago: 30s, 10m, 2h.',
    );
  }
  return value;
}

export function httpUrl(text: string): URL {
  if (!URL.canParse(text) || !/^https?:\/\//.test(text)) {
    throw new InvalidArgumentError('it takes a URL such as http://127.0.0.1:8080.');
  }
  return new URL(text);
}
