// Amounts of money as text for people. Used by `orders show` and by the audit.

/** Number formats by currency code. A code has three letters, so there are few. */
const formats = new Map<string, Intl.NumberFormat>();
const FORMATS_MAX = 500;

/**
 * An amount of minor units for people: `11.98 USD`, `1198 JPY`, `1.198 KWD`. The number of digits follows ISO 4217, as `Intl` knows it. If
 * the text is no currency code, the amount stays in minor units, with a note.
 */
export function formatMoney(minorUnits: number, currency: string): string {
  const format = formatOf(currency);
  if (format === undefined) return `${minorUnits} minor units of ${currency}`;
  const digits = format.resolvedOptions().maximumFractionDigits ?? 0;
  return `${(minorUnits / 10 ** digits).toFixed(digits)} ${currency}`;
}

function formatOf(currency: string): Intl.NumberFormat | undefined {
  const known = formats.get(currency);
  if (known !== undefined) return known;
  // Anything else is a RangeError of Intl.
  if (!/^[A-Z]{3}$/.test(currency)) return undefined;
  if (formats.size >= FORMATS_MAX) formats.clear();
  const format = new Intl.NumberFormat('en-US', { style: 'currency', currency });
  formats.set(currency, format);
  return format;
}

/** Digits after the point of a currency's amounts, by ISO 4217 as `Intl` knows it: 2 for USD, 0 for JPY. */
export function currencyDigits(currency: string): number {
  return formatOf(currency)?.resolvedOptions().maximumFractionDigits ?? 2;
}
