export function repairAddon(directory: string): string | undefined;
export function rebindAddon(name: string, bytes: Buffer): string[];
/** The project's node_modules folder, with a slash at its end. */
export const modules: string;
export function isKnownAddon(name: string, bytes: Uint8Array): boolean;
