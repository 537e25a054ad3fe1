/** Formats of currencies, by their code. An order's currency is three letters, so there are not many. */
const formats = new Map<string, Intl.NumberFormat>();
const FORMATS_MAX = 500;

/**
 * An amount of minor units for people: `11.98 USD`, `1198 JPY`, `1.198 KWD`. How many digits a currency has is ISO 4217's, as `Intl` knows it.
 * Text that is no currency code leaves the amount in minor units and says so.
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
