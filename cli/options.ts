import { InvalidArgumentError } from 'commander';
import { isInstant } from '../contracts/order/instant.ts';

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

/** `east,west`, without repetitions. */
export function commaSeparated(text: string): string[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  if (names.includes('')) throw new InvalidArgumentError('it takes names with a comma between them.');
  return names;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('it takes a number above 0.');
  return value;
}

export interface Stage {
  /** Orders a second. */
  rate: number;
  seconds: number;
}

/** `100:30s,500:1m`: rates in orders a second, each for a time. */
export function stages(text: string): Stage[] {
  return text.split(',').map((stage) => {
    const [, rate = '', time = '', unit = ''] = /^\s*([\d.]+):([\d.]+)([smh])\s*$/.exec(stage) ?? [];
    const parsed = { rate: Number(rate), seconds: (Number(time) * (unitsMs[unit] ?? 0)) / 1_000 };
    if (!(parsed.rate > 0 && parsed.seconds > 0 && Number.isFinite(parsed.rate * parsed.seconds)))
      throw new InvalidArgumentError('it takes rates and times such as 100:30s,500:1m.');
    return parsed;
  });
}

const timeSays =
  'it takes an RFC 3339 time with its offset such as 2026-11-22T10:00:00Z, milliseconds since 1970 in 13 digits, or how long ago: 30s, 10m, 2h, 1d.';
const unitsMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * An RFC 3339 time with its offset, 13 digits of milliseconds since 1970, or how long ago: 30s, 10m, 2h, 1d. Nothing else is taken: `Date.parse`
 * reads "10" as a day in 2001, and `discard --since 10` would discard everything.
 * @returns milliseconds since 1970.
 */
export function pointInTime(text: string): number {
  const ago = /^(\d+)([smhd])$/.exec(text);
  const value =
    ago !== null
      ? Date.now() - Number(ago[1]) * (unitsMs[ago[2] ?? ''] ?? 0)
      : /^\d{13}$/.test(text)
        ? Number(text)
        : isInstant(text)
          ? Date.parse(text)
          : Number.NaN;
  if (!(value >= 0)) throw new InvalidArgumentError(timeSays);
  return value;
}

/** The same for `--since`, which must not be in the future: nothing would be selected, and an audit of nothing finds no fault. */
export function pastTime(text: string): number {
  const value = pointInTime(text);
  if (value > Date.now())
    throw new InvalidArgumentError(
      `${new Date(value).toISOString()} is in the future; it takes a time that has passed.`,
    );
  return value;
}

export function httpUrl(text: string): URL {
  if (!URL.canParse(text) || !/^https?:\/\//.test(text)) {
    throw new InvalidArgumentError('it takes a URL such as http://127.0.0.1:8080.');
  }
  return new URL(text);
}
