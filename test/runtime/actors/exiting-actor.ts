export function createActor(): never {
  process.exit(4);
}
