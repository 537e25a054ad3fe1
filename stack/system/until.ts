const POLL_MS = 500;

/** Asks again and again until it is so. @returns false when it still was not after `msMax` */
export async function until(msMax: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + msMax;
  while (!(await isSo())) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}
