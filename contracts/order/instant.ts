// The form of dates with time, in orders and in options. Used by order.ts, validation.ts and `cli/options.ts`.

const clock = String.raw`(?:[01]\d|2[0-3]):[0-5]\d`;
const day = String.raw`(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2\d)|(?:0[13-9]|1[0-2])-30|(?:0[13578]|1[02])-31`;
const spelling = new RegExp(String.raw`^\d{4}-(?:${day})[Tt ]${clock}:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-]${clock})$`);

/** What a `date-time` field takes, for the error message. */
export const instantSays = 'must be a date and time with Z or an offset, such as 2026-11-22T10:00:00-06:00';

/**
 * Years that no correct clock exceeds and that every later step can store. They are fixed, not relative to now: an order that was accepted
 * once must be accepted again when it is repeated, and an edge agent may hold orders for days.
 */
export const instantYears = '^20[0-9]{2}-';
export const instantYearsSay = 'must be from 2000 to 2099; set the clock of the point of sale';

/**
 * Whether a text is an instant in the form of RFC 3339, for every reader of an order: the offset has minutes, the day exists, a fraction
 * has at most nine digits. Leap seconds are refused although RFC 3339 allows them, because JavaScript and the databases can't represent
 * them.
 */
export function isInstant(text: string): boolean {
  return spelling.test(text) && (!text.startsWith('02-29', 5) || isLeapYear(Number(text.slice(0, 4))));
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
