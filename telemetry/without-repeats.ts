const QUIET_MS = 10_000;

/** Logs a repeated line at most once in ten seconds, with the number of repeats. */
export function withoutRepeats(say: (line: string) => void, now: () => number = () => performance.now()) {
  const last = new Map<string, { at: number; held: number }>();
  return (line: string): void => {
    const known = last.get(line);
    if (known !== undefined && now() - known.at < QUIET_MS) {
      known.held++;
      return;
    }
    say(known === undefined || known.held === 0 ? line : `${line} (${known.held + 1} times)`);
    last.set(line, { at: now(), held: 0 });
  };
}
