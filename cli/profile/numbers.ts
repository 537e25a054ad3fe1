// How `ordermesh profile` prints shares.

/** Of a hundred, with one digit. */
export function percent(share: number): number {
  return round(share * 100, 1);
}

/** A difference of shares in points of a hundred, with its sign. */
export function points(change: number): string {
  const value = percent(change);
  return value > 0 ? `+${value}` : value < 0 ? `−${-value}` : '0';
}

export function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}
