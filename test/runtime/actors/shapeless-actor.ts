/** A slip: `apply` is meant, and would never be called. */
export function createActor() {
  return { decode: () => 0, aply: async () => [] };
}
