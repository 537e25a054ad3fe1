const QUIET_MS = 10_000;

/** Says a line that comes again and again once in ten seconds at most, with how often it came meanwhile. */
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
