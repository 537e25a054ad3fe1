export function createActor(): Promise<never> {
  return new Promise(() => {});
}
