/** Keeps one core busy for as long as its parent lives. */
const SLICE_MS = 50;

function spin(): void {
  const end = performance.now() + SLICE_MS;
  while (performance.now() < end);
  // Between two slices it notices the end of its parent.
  setImmediate(spin);
}

process.once('disconnect', () => process.exit());
spin();
