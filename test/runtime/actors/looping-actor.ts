export function createActor(): never {
  for (;;);
}
