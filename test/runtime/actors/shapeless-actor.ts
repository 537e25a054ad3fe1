/** A typing error: `apply` was meant. */
export function createActor() {
  return { decode: () => 0, aply: async () => [] };
}
