// How many orders come, and of what, by the time of day. Used by generator.ts, basket.ts and whole-day.ts.

/** Orders of a typical store by local hour, relative to its average hour: quiet nights, a lunch and a dinner peak. */
const hourly = [
  0.15, 0.08, 0.05, 0.05, 0.1, 0.35, 0.75, 1.15, 1.2, 0.9, 0.85, 1.5, 2.45, 2.1, 1.15, 0.95, 1.15, 1.85, 2.35, 2.0,
  1.35, 0.9, 0.6, 0.3,
] as const;

/** How busy a store is at that minute of its day, as a multiple of its average; straight between the full hours. */
export function demandAt(minute: number): number {
  const hour = Math.floor(minute / 60);
  const [from, to] = [hourly[hour % 24] ?? 0, hourly[(hour + 1) % 24] ?? 0];
  return from + (to - from) * ((minute % 60) / 60);
}

export const demandMax = Math.max(...hourly);

/** What sells when: weight of a category in that part of the day. */
export function categoryAppetite(category: string, minute: number): number {
  const hour = minute / 60;
  const morning = hour >= 5 && hour < 10.5;
  switch (category) {
    case 'breakfast':
      return morning ? 10 : hour < 13 ? 0.5 : 0.15;
    case 'burgers':
    case 'chicken':
      return morning ? 0.4 : 4;
    case 'kids':
      return morning ? 0.2 : 0.9;
    case 'desserts':
      return hour >= 14 ? 1.4 : 0.6;
    case 'drinks':
      return 3.4;
    default:
      return 3;
  }
}
