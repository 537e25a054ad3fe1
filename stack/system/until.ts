const POLL_MS = 500;

/** Asks repeatedly until the answer is true. @returns false when it was not true within `msMax` */
export async function until(msMax: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + msMax;
  while (!(await isSo())) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}
