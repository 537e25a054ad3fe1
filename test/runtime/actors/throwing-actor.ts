export function createActor(): never {
  throw new Error('no such menu');
}
