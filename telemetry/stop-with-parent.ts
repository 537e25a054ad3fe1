const POLL_MS = 250;

/**
 * Calls back once when the process that started this one has ended, however it ended: a killed `make` or shell sends no signal. Does
 * not keep the process alive. A process started by init, as in a container, has no such parent and is never called back.
 */
export function stopWithParent(stop: () => void): void {
  const parent = process.ppid;
  if (parent <= 1) return;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, POLL_MS);
  timer.unref();
}
